#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "holdfast/core/bytes.hpp"

/// The one seam through which holdfast's own file system calls go, so that tests can count, fail and stop at each.
namespace holdfast {

enum class FileKind { absent, regular, directory, symlink, other };

struct FileStatus {
  FileKind kind = FileKind::absent;
  std::uint64_t size_bytes = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t hard_links = 0;
  std::int64_t modified_ns =
      0;  ///< last change of a file's content or a directory's entries, since 1970; in kernel ticks
};

/// Where a path lies.
struct FileSystemStatus {
  bool remote = false;  ///< NFS, CIFS, 9p, FUSE and the like: locks and mappings cannot be trusted
  std::uint64_t available_bytes = 0;
};

enum class RenameMode { replace, no_replace };
enum class LockMode { shared, exclusive };

/// The system calls, one method each. Every method answers like the kernel: a result >= 0, or -errno. Nothing is
/// retried here: EINTR and short counts are the caller's to handle (file_io.hpp does, for all of holdfast).
/// Paths are never followed at their last component (O_NOFOLLOW), descriptors are close-on-exec.
/// Threads: all methods may be called at once.
class FileOps {
 public:
  virtual ~FileOps() = default;

  /// `flags` as of open(2); O_NOFOLLOW | O_CLOEXEC are added. The descriptor.
  virtual int open(const std::filesystem::path& path, int flags, unsigned mode) = 0;
  /// The descriptor is gone whatever the result.
  virtual int close(int fd) = 0;
  virtual std::int64_t read_at(int fd, std::span<std::byte> out, std::uint64_t offset_bytes) = 0;
  virtual std::int64_t write_at(int fd, ByteView bytes, std::uint64_t offset_bytes) = 0;
  virtual int truncate(int fd, std::uint64_t size_bytes) = 0;
  /// posix_fadvise(2): these bytes are about to be read. An advice: whoever simulates a disk need not follow it.
  virtual int will_need(int /*fd*/, std::uint64_t /*offset_bytes*/, std::uint64_t /*size_bytes*/) { return 0; }
  /// fsync(2): a file's content and size, or a directory's entries.
  virtual int sync(int fd) = 0;

  virtual int status(const std::filesystem::path& path, FileStatus& out) = 0;  ///< lstat(2); absent is a result
  virtual int status_of(int fd, FileStatus& out) = 0;                          ///< fstat(2)
  virtual int rename(const std::filesystem::path& from, const std::filesystem::path& to, RenameMode mode) = 0;
  virtual int remove(const std::filesystem::path& path) = 0;            ///< unlink(2)
  virtual int remove_directory(const std::filesystem::path& path) = 0;  ///< rmdir(2)
  virtual int make_directory(const std::filesystem::path& path, unsigned mode) = 0;
  /// realpath(3), the one method that follows links: an absolute path without links, "." or "..".
  virtual int real_path(const std::filesystem::path& path, std::filesystem::path& out) = 0;
  virtual int file_system(const std::filesystem::path& path, FileSystemStatus& out) = 0;  ///< statfs(2)
  virtual int file_system_of(int fd, FileSystemStatus& out) = 0;                          ///< fstatfs(2)
  /// The names in a directory, without "." and "..", in no order.
  virtual int list(const std::filesystem::path& directory, std::vector<std::string>& names) = 0;

  /// flock(2) without waiting: -EWOULDBLOCK when another open file description holds it.
  virtual int try_lock(int fd, LockMode mode) = 0;
  /// An OFD lock on one byte, without waiting: -EAGAIN when another open file description holds it.
  virtual int try_lock_byte(int fd, std::uint64_t offset_bytes, LockMode mode) = 0;
  virtual int unlock_byte(int fd, std::uint64_t offset_bytes) = 0;
  /// Whether others hold locks on any of these bytes: 1 or 0.
  virtual int are_bytes_locked(int fd, std::uint64_t offset_bytes, std::uint64_t size_bytes) = 0;
};

/// The operating system's, one object per process.
[[nodiscard]] std::shared_ptr<FileOps> system_file_ops();

}  // namespace holdfast
