#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/file_ops.hpp"
#include "holdfast/core/bytes.hpp"

/// What holdfast does with files, over FileOps: whole reads and writes, with EINTR and short counts handled, every
/// result read, and failures thrown as IoError with operation, path and errno.
namespace holdfast {

/// A descriptor that a File takes over.
struct AdoptedDescriptor {
  int fd = -1;
};

/// An open file or directory; closed by its destructor, whose failure nobody hears: files that were written are
/// closed by close(). Threads: one at a time; read_at, read_all and status may be called at once.
class File {
 public:
  File() = default;
  /// Errors: IoError("open").
  File(std::shared_ptr<FileOps> ops, std::filesystem::path path, int flags, unsigned mode = 0600);
  File(std::shared_ptr<FileOps> ops, std::filesystem::path path, AdoptedDescriptor descriptor) noexcept
      : ops_(std::move(ops)), path_(std::move(path)), fd_(descriptor.fd) {}
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  [[nodiscard]] FileStatus status() const;
  /// Fills as much of `out` as the file has from `offset_bytes` on; how much that was.
  std::size_t read_at(std::span<std::byte> out, std::uint64_t offset_bytes) const;
  /// The content, as far as the size at the beginning of the call.
  [[nodiscard]] Bytes read_all() const;
  void write_at(ByteView bytes, std::uint64_t offset_bytes);
  void truncate(std::uint64_t size_bytes);
  /// Interrupted it is called again; failed it is not: the kernel may have dropped the pages it could not write.
  void sync();
  /// Closed whatever the result. Errors: IoError when what was written may not have reached the file.
  void close();

 private:
  std::shared_ptr<FileOps> ops_;
  std::filesystem::path path_;
  int fd_ = -1;
};

/// Opened; nullopt when the name does not exist.
[[nodiscard]] std::optional<File> open_existing(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& path,
                                                int flags);
/// What the name itself is, links not followed; FileKind::absent when there is none.
[[nodiscard]] FileStatus status_of(FileOps& ops, const std::filesystem::path& path);
/// The names in a directory, in no order. Its path may end in a link to it, here and below.
[[nodiscard]] std::vector<std::string> list_directory(FileOps& ops, const std::filesystem::path& directory);
/// An absolute path without links, "." and "..".
[[nodiscard]] std::filesystem::path real_path(FileOps& ops, const std::filesystem::path& path);
/// Whether the lock on the whole file was to be had.
[[nodiscard]] bool try_lock(FileOps& ops, const File& file, LockMode mode);
void sync_directory(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& directory);
/// Replaces what `to` named.
void rename_file(FileOps& ops, const std::filesystem::path& from, const std::filesystem::path& to);
/// Whether there was a file to remove.
bool remove_file(FileOps& ops, const std::filesystem::path& path);
/// Makes the directory and any missing parent, mode 0700, each one's parent synced. Whether the last was made; false
/// says that the name exists, not what it is.
bool make_directories(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& directory);

}  // namespace holdfast
