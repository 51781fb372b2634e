#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/file_ops.hpp"

namespace holdfast::testing {

/// The system's file operations; a test derives from it what it wants otherwise.
class ForwardingFileOps : public FileOps {
 public:
  using Path = std::filesystem::path;

  int open(const Path& path, int flags, unsigned mode) override { return system_->open(path, flags, mode); }
  int close(int fd) override { return system_->close(fd); }
  std::int64_t read_at(int fd, std::span<std::byte> out, std::uint64_t at) override {
    return system_->read_at(fd, out, at);
  }
  std::int64_t write_at(int fd, ByteView bytes, std::uint64_t at) override { return system_->write_at(fd, bytes, at); }
  int truncate(int fd, std::uint64_t size_bytes) override { return system_->truncate(fd, size_bytes); }
  int sync(int fd) override { return system_->sync(fd); }
  int status(const Path& path, FileStatus& out) override { return system_->status(path, out); }
  int status_of(int fd, FileStatus& out) override { return system_->status_of(fd, out); }
  int rename(const Path& from, const Path& to, RenameMode mode) override { return system_->rename(from, to, mode); }
  int remove(const Path& path) override { return system_->remove(path); }
  int remove_directory(const Path& path) override { return system_->remove_directory(path); }
  int make_directory(const Path& path, unsigned mode) override { return system_->make_directory(path, mode); }
  int real_path(const Path& path, Path& out) override { return system_->real_path(path, out); }
  int file_system(const Path& path, FileSystemStatus& out) override { return system_->file_system(path, out); }
  int file_system_of(int fd, FileSystemStatus& out) override { return system_->file_system_of(fd, out); }
  int list(const Path& directory, std::vector<std::string>& names) override { return system_->list(directory, names); }
  int try_lock(int fd, LockMode mode) override { return system_->try_lock(fd, mode); }
  int try_lock_byte(int fd, std::uint64_t at, LockMode mode) override { return system_->try_lock_byte(fd, at, mode); }
  int are_bytes_locked(int fd, std::uint64_t at, std::uint64_t size_bytes) override {
    return system_->are_bytes_locked(fd, at, size_bytes);
  }
  int unlock_byte(int fd, std::uint64_t at) override { return system_->unlock_byte(fd, at); }

 private:
  std::shared_ptr<FileOps> system_ = system_file_ops();
};

}  // namespace holdfast::testing
