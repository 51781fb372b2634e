#include "db/lmdb_error.hpp"

#include <lmdb.h>

#include <cerrno>
#include <string>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {

void throw_lmdb(int result, std::string_view operation, const std::filesystem::path& path) {
  const std::string where = path.string();
  const std::string said = std::string(operation) + ": " + mdb_strerror(result);
  switch (result) {
    case MDB_INVALID: throw StateError({.state = State::foreign, .where = where, .problem = said});
    case MDB_VERSION_MISMATCH: throw StateError({.state = State::newer_format, .where = where, .problem = said});
    case MDB_PANIC: throw StateError({.state = State::poisoned, .where = where, .problem = said});
    case MDB_MAP_RESIZED:
      throw StateError({.state = State::mismatched,
                        .where = where,
                        .problem = "map_reserve_bytes: another process has grown the store beyond this one's map; "
                                   "open it again"});
    case MDB_INCOMPATIBLE: throw StateError({.state = State::foreign, .where = where, .problem = said});
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_CURSOR_FULL:
      throw CorruptionError({.where = where,
                             .want = "a page of its B-tree (" + std::string(operation) + ")",
                             .got = mdb_strerror(result)});
    default: break;
  }
  if (result > 0) throw IoError({.operation = std::string(operation), .path = path, .error_number = result});
  throw StateError({.state = State::poisoned, .where = where, .problem = said});
}

}  // namespace holdfast::detail
