#include "db/lock_table.hpp"

#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "db/lmdb_error.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint64_t openings_byte = 0;
constexpr std::chrono::milliseconds poll_interval{1};
constexpr int patience_polls = 10'000;

void require_locked(int result, const File& file) {
  if (result < 0) throw IoError({.operation = "lock", .path = file.path(), .error_number = -result});
}

/// LMDB locks the byte at the process's number with the first read transaction, and never again. A child that was
/// forked in this moment may hold it, from an opening before, until it has closed its copies.
void make_lmdb_lock_its_number(MDB_env* environment, const std::filesystem::path& path) {
  MDB_txn* first = nullptr;
  int result = mdb_txn_begin(environment, nullptr, MDB_RDONLY, &first);
  for (int again = 0; (result == EAGAIN || result == EACCES) && again < patience_polls; ++again) {
    std::this_thread::sleep_for(poll_interval);
    result = mdb_txn_begin(environment, nullptr, MDB_RDONLY, &first);
  }
  if (result == MDB_MAP_RESIZED) return;  // another process grows the store: seen after the byte was locked
  require_lmdb(result, "mdb_txn_begin", path);
  mdb_txn_abort(first);
}

/// Gives up what LMDB has locked there: a lock of the process, which keeps out its own other descriptors too.
void give_up_posix_lock(int fd, std::uint64_t offset_bytes, const File& file) {
  struct flock lock = {};
  lock.l_type = F_UNLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset_bytes);
  lock.l_len = 1;
  require_locked(::fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0, file);
}

}  // namespace

LockTable::LockTable(const StoreDirectory& directory, MDB_env* environment)
    : file_(directory.ops(), directory.path() / StoreDirectory::lock_table_name, O_RDONLY) {
  const File& file = *file_;
  FileOps& ops = *directory.ops();
  require_locked(ops.try_lock_byte(file.fd(), openings_byte, LockMode::shared), file);
  // No reader of this process is in the table yet that could be taken for dead between the two locks.
  const auto number = static_cast<std::uint64_t>(::getpid());
  make_lmdb_lock_its_number(environment, directory.path());
  give_up_posix_lock(file.fd(), number, file);
  require_locked(ops.try_lock_byte(file.fd(), number, LockMode::shared), file);
  const FileStatus status = file.status();
  identity_ = {status.device, status.inode};
}

}  // namespace holdfast::detail
