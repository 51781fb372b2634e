#include "db/sole_store.hpp"

#include <fcntl.h>

#include <utility>

#include "db/store_directory.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

void hold_alone(FileOps& ops, const File& file) {
  if (!try_lock(ops, file, LockMode::exclusive))
    throw StateError({.state = State::in_use, .where = file.path().string(), .problem = "somebody has the store open"});
}

}  // namespace

SoleStore::SoleStore(const std::filesystem::path& path, std::shared_ptr<FileOps> ops) : path_(real_path(*ops, path)) {
  const FileStatus status = status_of(*ops, path_);
  if (status.kind != FileKind::directory)
    throw StateError({.state = State::foreign,
                      .where = path_.string(),
                      .problem = "a store is a directory; this is something else"});
  guard_forks();
  const auto lock = path_ / lock_file_name;
  if (status_of(*ops, lock).kind != FileKind::absent) {
    lock_ = open_store_file(ops, lock, O_RDONLY);
    hold_alone(*ops, *lock_);
  }
  data_ = open_store_file(ops, path_ / data_file_name, O_RDONLY);
  hold_alone(*ops, *data_);
}

}  // namespace holdfast::detail
