#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/file_ops.hpp"
#include "holdfast/core/bytes.hpp"

/// What holdfast does with files, over FileOps: whole reads and writes, with EINTR and short counts handled, every
/// result read, and failures thrown as IoError with operation, path and errno.
namespace holdfast {

/// An open file or directory; closed by its destructor, whose failure nobody hears: files that were written are
/// closed by close().
class File {
 public:
  File() = default;
  /// Errors: IoError("open").
  File(std::shared_ptr<FileOps> ops, std::filesystem::path path, int flags, unsigned mode = 0600);
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  [[nodiscard]] FileStatus status() const;
  /// Fills as much of `out` as the file has from `offset_bytes` on; how much that was.
  std::size_t read_at(std::span<std::byte> out, std::uint64_t offset_bytes) const;
  [[nodiscard]] Bytes read_all() const;
  void write_at(ByteView bytes, std::uint64_t offset_bytes);
  void truncate(std::uint64_t size_bytes);
  /// A failed sync is never retried: the kernel may have dropped the pages it could not write.
  void sync();
  void close();

 private:
  std::shared_ptr<FileOps> ops_;
  std::filesystem::path path_;
  int fd_ = -1;
};

/// Opened for reading; nullopt when the name does not exist.
[[nodiscard]] std::optional<File> open_existing(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& path,
                                                int flags);
[[nodiscard]] FileStatus status_of(FileOps& ops, const std::filesystem::path& path);
[[nodiscard]] std::vector<std::string> list_directory(FileOps& ops, const std::filesystem::path& directory);
void sync_directory(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& directory);
void rename_file(FileOps& ops, const std::filesystem::path& from, const std::filesystem::path& to);
/// Whether there was a file to remove.
bool remove_file(FileOps& ops, const std::filesystem::path& path);
/// Makes the directory and any missing parent, mode 0700, each one's parent synced. Whether the last was made.
bool make_directories(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& directory);

}  // namespace holdfast
