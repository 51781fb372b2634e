#include "db/store_directory.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

#include "db/create_store.hpp"
#include "db/judgement.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::string_view temporary_prefix = "data.mdb.new-";
// Of LOCK; bytes 1 and 3 are the writers'.
constexpr std::uint64_t creation_byte = 2;
constexpr std::uint64_t first_data_file_byte = std::uint64_t{1} << 40U;
constexpr std::uint64_t data_file_bytes = std::uint64_t{1} << 48U;
// Of data.mdb.
constexpr std::uint64_t writing_byte = 0;
constexpr std::uint64_t uncounted_byte = 1;
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

/// Makes the names on the way to `directory` survive power loss: who made them may have been killed before he did.
void sync_way_to(const std::filesystem::path& directory, const std::shared_ptr<FileOps>& ops) {
  const std::uint64_t device = status_of(*ops, directory).device;
  for (auto way = directory; way.has_relative_path();) {
    way = way.parent_path();
    if (status_of(*ops, way).device != device) return;  // what is mounted there has its own name in it
    try {
      sync_directory(ops, way);
    } catch (const IoError& error) {
      const int refused = error.facts().error_number;
      if (refused != EACCES && refused != EPERM) throw;
      return;  // whoever may not look at a directory has made no name in it
    }
  }
}

/// An OFD lock on the creation byte of LOCK, waited for: whoever holds it makes or examines the files and no more.
class CreationLock {
 public:
  CreationLock(FileOps& ops, const File& lock, LockMode mode) : ops_(ops), lock_(lock) {
    // The system's clock: a handle's own may stand still.
    const auto clock = system_clock();
    const auto deadline = clock->steady_now() + creation_wait;
    for (;;) {
      const int result = ops_.try_lock_byte(lock_.fd(), creation_byte, mode);
      if (result >= 0) return;
      if (result == -EINTR) continue;
      if (!is_held_by_another(result)) require_result(result, "lock", lock_.path());
      if (clock->steady_now() >= deadline) throw_in_use(lock_.path(), "another process does not finish opening it");
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

void try_flock(FileOps& ops, const File& file, LockMode mode, const char* held) {
  int result = 0;
  do {
    result = ops.try_lock(file.fd(), mode);
  } while (result == -EINTR);
  if (is_held_by_another(result)) throw_in_use(file.path(), held);
  require_result(result, "lock", file.path());
}

}  // namespace

ProcessFile open_store_file(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& path, int flags) {
  ProcessFile file(ops, path, flags | O_NONBLOCK);
  if (file->status().kind != FileKind::regular) throw_foreign(path, "not a regular file");
  return file;
}

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
  counts_readers_ = writing || lock_table_is_usable();
  std::optional<CreationLock> creation;
  if (counts_readers_ || status_of(*ops_, path_ / lock_file_name).kind != FileKind::absent) {
    lock_ = open_store_file(ops_, path_ / lock_file_name, writing ? O_RDWR | O_CREAT : O_RDONLY);
    try_flock(*ops_, *lock_, LockMode::shared, "somebody holds the store alone");
    creation.emplace(*ops_, *lock_, writing ? LockMode::exclusive : LockMode::shared);
  }
  if (writing) sweep_and_create(options);
  open_data();
  if (creation) require_one_data_file();
  require_counted_readers(options.access);
  judge(*data_);
}

bool StoreDirectory::lock_table_is_usable() const {
  for (const char* name : {lock_file_name, lock_table_name})
    if (status_of(*ops_, path_ / name).kind == FileKind::absent) return false;
  // Closing it drops no lock of this process: it does not have the store open.
  const int fd = ops_->open(path_ / lock_table_name, O_RDWR | O_NONBLOCK, 0);
  if (fd == -EACCES || fd == -EROFS || fd == -EPERM) return false;
  if (fd >= 0) ops_->close(fd);
  return true;
}

/// LMDB counts transactions in lock.mdb: for a data file that took the place of one that is still open it would go on
/// with the other's number. So every opening holds the byte of its data file, and looks for others.
void StoreDirectory::require_one_data_file() const {
  const std::uint64_t own = first_data_file_byte + identity_.second % data_file_bytes;
  const std::uint64_t end = first_data_file_byte + data_file_bytes;
  require_result(ops_->try_lock_byte(lock_->fd(), own, LockMode::shared), "lock", lock_->path());
  const int before = own == first_data_file_byte
                         ? 0
                         : ops_->are_bytes_locked(lock_->fd(), first_data_file_byte, own - first_data_file_byte);
  const int after = own + 1 == end ? 0 : ops_->are_bytes_locked(lock_->fd(), own + 1, end - own - 1);
  require_result(before, "lock", lock_->path());
  require_result(after, "lock", lock_->path());
  if (before + after > 0) throw_in_use(path_, "data.mdb was replaced while another process has the store open");
}

/// Who writes and who reads uncounted keep each other out. Each holds its byte before it looks for the other's.
void StoreDirectory::require_counted_readers(Access access) const {
  const bool writing = access == Access::read_write;
  if (!writing && counts_readers_) return;
  const int fd = data_->fd();
  require_result(ops_->try_lock_byte(fd, writing ? writing_byte : uncounted_byte, LockMode::shared), "lock", path_);
  const int others = ops_->are_bytes_locked(fd, writing ? uncounted_byte : writing_byte, 1);
  require_result(others, "lock", path_);
  if (others == 0) return;
  throw_in_use(path_, writing ? "it is being read by a process that cannot write to lock.mdb"
                              : "it is open for writing, and lock.mdb, in which readers are counted, cannot be used");
}

void StoreDirectory::sweep_and_create(const DatabaseOptions& options) {
  for (const std::string& name : list_directory(*ops_, path_))
    if (name.starts_with(temporary_prefix)) remove_file(*ops_, path_ / name);
  const auto data = path_ / data_file_name;
  if (status_of(*ops_, data).kind == FileKind::absent) {
    sync_way_to(path_, ops_);  // before: a data file shows that it was done
    create(data, options);
  }
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
  data_ = open_store_file(ops_, path_ / data_file_name, O_RDONLY);
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
