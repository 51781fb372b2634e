#include "db/store_directory.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "db/create_store.hpp"
#include "db/judgement.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr const char* lock_table_name = "lock.mdb";
constexpr std::string_view temporary_prefix = "data.mdb.new-";
constexpr std::uint64_t creation_byte = 2;  // of LOCK; byte 1 is the writers'
constexpr std::chrono::seconds creation_wait{10};
constexpr std::chrono::milliseconds poll_interval{1};

[[noreturn]] void throw_in_use(const std::filesystem::path& path, std::string problem) {
  throw StateError({.state = State::in_use, .where = path.string(), .problem = std::move(problem)});
}

[[noreturn]] void throw_foreign(const std::filesystem::path& path, std::string problem) {
  throw StateError({.state = State::foreign, .where = path.string(), .problem = std::move(problem)});
}

void require_result(int result, const char* operation, const std::filesystem::path& path) {
  if (result < 0) throw IoError({.operation = operation, .path = path, .error_number = -result});
}

bool is_held_by_another(int result) noexcept {
  return result == -EAGAIN || result == -EACCES || result == -EWOULDBLOCK;
}

/// An OFD lock on the creation byte of LOCK, waited for: whoever holds it makes or examines the files and no more.
class CreationLock {
 public:
  CreationLock(FileOps& ops, const File& lock, LockMode mode, const Clock& clock) : ops_(ops), lock_(lock) {
    const auto deadline = clock.steady_now() + creation_wait;
    for (;;) {
      const int result = ops_.try_lock_byte(lock_.fd(), creation_byte, mode);
      if (result >= 0) return;
      if (result == -EINTR) continue;
      if (!is_held_by_another(result)) require_result(result, "lock", lock_.path());
      if (clock.steady_now() >= deadline) throw_in_use(lock_.path(), "another process does not finish opening it");
      std::this_thread::sleep_for(poll_interval);
    }
  }
  ~CreationLock() {
    // Cannot fail on a lock that is held; closing LOCK would give it back as well.
    static_cast<void>(ops_.unlock_byte(lock_.fd(), creation_byte));
  }
  CreationLock(const CreationLock&) = delete;
  CreationLock& operator=(const CreationLock&) = delete;

 private:
  FileOps& ops_;
  const File& lock_;
};

/// Opens what must be a file; a FIFO of that name is not waited for.
ProcessFile open_file(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& path, int flags) {
  ProcessFile file(ops, path, flags | O_NONBLOCK);
  if (file->status().kind != FileKind::regular) throw_foreign(path, "not a regular file");
  return file;
}

void try_flock(FileOps& ops, const File& file, LockMode mode, const char* held) {
  int result = 0;
  do {
    result = ops.try_lock(file.fd(), mode);
  } while (result == -EINTR);
  if (is_held_by_another(result)) throw_in_use(file.path(), held);
  require_result(result, "lock", file.path());
}

}  // namespace

std::filesystem::path StoreDirectory::resolve(const DatabaseOptions& options, const std::shared_ptr<FileOps>& ops) {
  std::filesystem::path path;
  int result = ops->real_path(options.path, path);
  if (result == -ENOENT && options.access == Access::read_write) {
    make_directories(ops, options.path);
    result = ops->real_path(options.path, path);
  }
  require_result(result, "open", options.path);
  if (status_of(*ops, path).kind != FileKind::directory)
    throw_foreign(path, "a store is a directory; this is something else");
  FileSystemStatus file_system;
  require_result(ops->file_system(path, file_system), "statfs", path);
  if (file_system.remote && !options.allow_remote)
    throw StateError({.state = State::remote,
                      .where = path.string(),
                      .problem = "locks and mappings cannot be trusted here; allow_remote opens it nevertheless"});
  return path;
}

std::optional<StoreIdentity> StoreDirectory::identify(const std::filesystem::path& path, FileOps& ops) {
  const FileStatus status = status_of(ops, path / data_file_name);
  if (status.kind != FileKind::regular) return std::nullopt;
  return StoreIdentity(status.device, status.inode);
}

bool StoreDirectory::is_file_name(std::string_view name) noexcept {
  return name == data_file_name || name == lock_file_name || name == lock_table_name ||
         name.starts_with(temporary_prefix);
}

StoreDirectory::StoreDirectory(std::filesystem::path path, const DatabaseOptions& options, std::shared_ptr<FileOps> ops)
    : ops_(std::move(ops)), path_(std::move(path)) {
  const bool writing = options.access == Access::read_write;
  lock_ = open_file(ops_, path_ / lock_file_name, writing ? O_RDWR | O_CREAT : O_RDONLY);
  try_flock(*ops_, *lock_, LockMode::shared, "somebody holds the store alone");
  const CreationLock creation(*ops_, *lock_, writing ? LockMode::exclusive : LockMode::shared, *options.clock);
  if (writing) sweep_and_create(options);
  open_data();
  judge(*data_);
}

void StoreDirectory::sweep_and_create(const DatabaseOptions& options) {
  for (const std::string& name : list_directory(*ops_, path_))
    if (name.starts_with(temporary_prefix)) remove_file(*ops_, path_ / name);
  const auto data = path_ / data_file_name;
  if (status_of(*ops_, data).kind == FileKind::absent) create(data, options);
  // Also when it was there: whoever made it may have been killed before its name was on the disk.
  sync_directory(ops_, path_);
}

void StoreDirectory::create(const std::filesystem::path& data, const DatabaseOptions& options) {
  StoreId id{};
  options.entropy->fill(id);
  const auto temporary = path_ / (std::string(temporary_prefix) + to_hex(id));
  try {
    create_data_file(temporary, id);
    File created(ops_, temporary, O_RDWR);
    created.sync();
    created.close();
    const int result = ops_->rename(temporary, data, RenameMode::no_replace);
    if (result == -EEXIST) {
      remove_file(*ops_, temporary);  // a program that does not know our lock was first: the store is theirs
    } else {
      require_result(result, "rename", temporary);
    }
  } catch (...) {
    static_cast<void>(ops_->remove(temporary));  // what failed is the news; the next opening sweeps
    throw;
  }
}

void StoreDirectory::open_data() {
  data_ = open_file(ops_, path_ / data_file_name, O_RDONLY);
  const FileStatus status = data_->status();
  const FileStatus lock_table = status_of(*ops_, path_ / lock_table_name);
  if (lock_table.kind != FileKind::absent && lock_table.kind != FileKind::regular)
    throw_foreign(path_ / lock_table_name, "not a regular file");
  if (status.hard_links > 1) {
    try_flock(*ops_, *data_, LockMode::exclusive, "it has several hard links and is open already");
  } else {
    try_flock(*ops_, *data_, LockMode::shared, "it is open alone, through one of several hard links");
  }
  identity_ = {status.device, status.inode};
}

}  // namespace holdfast::detail
