#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <vector>

#include "holdfast/core/entropy.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/db/long_work.hpp"
#include "holdfast/seal/seal.hpp"

namespace holdfast {

class Database;

/// A store as text, one line for each entry, that no engine is needed to read and that leads from one engine's format
/// to another's. It ends with a digest of itself; src/db/FORMAT.md lays it out.
struct DumpOptions {
  /// To open and make sealed values with, beside the library's own; found by name.
  std::vector<std::shared_ptr<const Seal>> seals{};
  std::shared_ptr<const Entropy> entropy = system_entropy();  ///< load: the new store's id
  LongWork work{};                                            ///< progress of dump in pages, of load in bytes
};

struct DumpReport {
  Outcome outcome = Outcome::finished;
  std::uint64_t tables = 0;
  std::uint64_t entries = 0;  ///< the backend's included
};

/// Writes one state of the store to `out`, while readers and writers go on. Values of sealed tables are verified and
/// written as they were put, without their seals; entries that may expire with their deadlines, due or not. A dump that
/// was stopped or failed has no digest, and does not load.
/// Errors: CorruptionError for anything damaged; UnsupportedError{seal} for a seal that is not known; IoError when
///         `out` does not take it; as begin_read().
HOLDFAST_API DumpReport dump(const Database& db, std::ostream& out, const DumpOptions& options = {});

/// Makes a new store at `path` of what a dump holds: the same tables, codecs and entries under an id of its own, sealed
/// values sealed anew. There is nothing at `path` until all of the dump was read, verified and synced.
/// Errors: IoError: EEXIST where there is something of that name; CorruptionError, with the offset in the dump, when it
///         was cut or altered; StateError{foreign, newer_format} for what is no dump or a later one; UnsupportedError
///         {seal}; LimitError.
HOLDFAST_API DumpReport load(std::istream& in, const std::filesystem::path& path, const DumpOptions& options = {});

}  // namespace holdfast
