#include "core/file_io.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

[[noreturn]] void fail(const char* operation, const std::filesystem::path& path, std::int64_t result) {
  throw IoError({.operation = operation, .path = path, .error_number = static_cast<int>(-result)});
}

/// The answer of a call that a signal did not cut short.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result == -EINTR) result = call();
  return result;
}

template <class Call>
auto succeed(const char* operation, const std::filesystem::path& path, Call call) {
  const auto result = uninterrupted(call);
  if (result < 0) fail(operation, path, result);
  return result;
}

/// The directory itself, also where its path ends in a link: only the last component is never followed.
std::filesystem::path inside(const std::filesystem::path& directory) {
  return directory / ".";
}

}  // namespace

File::File(std::shared_ptr<FileOps> ops, std::filesystem::path path, int flags, unsigned mode)
    : ops_(std::move(ops)),
      path_(std::move(path)),
      fd_(succeed("open", path_, [&] { return ops_->open(path_, flags, mode); })) {}

File::~File() {
  if (is_open()) ops_->close(fd_);
}

File::File(File&& other) noexcept
    : ops_(std::move(other.ops_)), path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (is_open()) ops_->close(fd_);
    ops_ = std::move(other.ops_);
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileStatus File::status() const {
  FileStatus status;
  succeed("status", path_, [&] { return ops_->status_of(fd_, status); });
  return status;
}

std::size_t File::read_at(std::span<std::byte> out, std::uint64_t offset_bytes) const {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const auto count =
        succeed("read", path_, [&] { return ops_->read_at(fd_, out.subspan(filled), offset_bytes + filled); });
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

Bytes File::read_all() const {
  Bytes content(static_cast<std::size_t>(status().size_bytes));
  content.resize(read_at(content, 0));  // less where it was cut meanwhile
  return content;
}

void File::write_at(ByteView bytes, std::uint64_t offset_bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto count =
        succeed("write", path_, [&] { return ops_->write_at(fd_, bytes.subspan(written), offset_bytes + written); });
    if (count == 0) fail("write", path_, -EIO);  // no progress and no reason given
    written += static_cast<std::size_t>(count);
  }
}

void File::truncate(std::uint64_t size_bytes) {
  succeed("truncate", path_, [&] { return ops_->truncate(fd_, size_bytes); });
}

void File::sync() {
  succeed("sync", path_, [&] { return ops_->sync(fd_); });
}

void File::close() {
  if (!is_open()) return;
  const int result = ops_->close(std::exchange(fd_, -1));
  if (result == -EINTR) return;  // closed, and the kernel goes on writing what it has
  if (result < 0) fail("close", path_, result);
}

std::optional<File> open_existing(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& path, int flags) {
  const int fd = uninterrupted([&] { return ops->open(path, flags, 0); });
  if (fd == -ENOENT) return std::nullopt;
  if (fd < 0) fail("open", path, fd);
  return File(ops, path, AdoptedDescriptor{fd});
}

FileStatus status_of(FileOps& ops, const std::filesystem::path& path) {
  FileStatus status;
  succeed("status", path, [&] { return ops.status(path, status); });
  return status;
}

std::vector<std::string> list_directory(FileOps& ops, const std::filesystem::path& directory) {
  std::vector<std::string> names;
  succeed("list", directory, [&] { return ops.list(inside(directory), names); });
  return names;
}

std::filesystem::path real_path(FileOps& ops, const std::filesystem::path& path) {
  std::filesystem::path found;
  succeed("resolve", path, [&] { return ops.real_path(path, found); });
  return found;
}

bool try_lock(FileOps& ops, const File& file, LockMode mode) {
  const int result = uninterrupted([&] { return ops.try_lock(file.fd(), mode); });
  if (result < 0 && result != -EWOULDBLOCK) fail("lock", file.path(), result);
  return result == 0;
}

void sync_directory(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& directory) {
  File(ops, inside(directory), O_RDONLY | O_DIRECTORY).sync();
}

void rename_file(FileOps& ops, const std::filesystem::path& from, const std::filesystem::path& to) {
  succeed("rename", to, [&] { return ops.rename(from, to, RenameMode::replace); });
}

bool remove_file(FileOps& ops, const std::filesystem::path& path) {
  const int result = uninterrupted([&] { return ops.remove(path); });
  if (result == -ENOENT) return false;
  if (result < 0) fail("remove", path, result);
  return true;
}

bool make_directories(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& directory) {
  constexpr unsigned owner_only = 0700;
  const auto make = [&] { return uninterrupted([&] { return ops->make_directory(directory, owner_only); }); };
  // "state/" names what "state" names, and has it for its parent.
  const auto parent = directory.has_filename() ? directory.parent_path() : directory.parent_path().parent_path();
  int result = make();
  if (result == -ENOENT && parent != directory) {
    make_directories(ops, parent);
    result = make();
  }
  if (result == -EEXIST) return false;
  if (result < 0) fail("make directory", directory, result);
  sync_directory(ops, parent);
  return true;
}

}  // namespace holdfast
