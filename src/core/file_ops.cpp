#include "core/file_ops.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace holdfast {
namespace {

/// What the kernel answered: the result, or -errno.
template <class Result>
Result answer(Result result) {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::regular;
  if (S_ISDIR(mode)) return FileKind::directory;
  if (S_ISLNK(mode)) return FileKind::symlink;
  return FileKind::other;
}

FileStatus status_from(const struct stat& found) {
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  return {.kind = kind_of(found.st_mode),
          .size_bytes = static_cast<std::uint64_t>(found.st_size),
          .device = found.st_dev,
          .inode = found.st_ino,
          .hard_links = found.st_nlink,
          .modified_ns = std::int64_t{found.st_mtim.tv_sec} * ns_per_s + std::int64_t{found.st_mtim.tv_nsec}};
}

/// Magic numbers of statfs(2): file systems whose bytes live on another machine, or behind another process.
bool is_remote(std::uint32_t magic) {
  constexpr std::array<std::uint32_t, 13> remote = {0x6969,       // NFS
                                                    0x517B,       // SMB
                                                    0xFF534D42,   // CIFS
                                                    0xFE534D42,   // SMB2
                                                    0x01021997,   // 9p
                                                    0x65735546,   // FUSE
                                                    0x5346414F,   // AFS
                                                    0x00C36400,   // Ceph
                                                    0x73757245,   // Coda
                                                    0x7461636F,   // OCFS2
                                                    0x01161970,   // GFS2
                                                    0x0BD00BD0,   // Lustre
                                                    0x19830326};  // BeeGFS
  return std::find(remote.begin(), remote.end(), magic) != remote.end();
}

FileSystemStatus file_system_from(const struct statfs& found) {
  return {.remote = is_remote(static_cast<std::uint32_t>(found.f_type)),
          .available_bytes = std::uint64_t{found.f_bavail} * static_cast<std::uint64_t>(found.f_bsize)};
}

int set_byte_lock(int fd, std::uint64_t offset_bytes, short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset_bytes);
  lock.l_len = 1;
  return answer(::fcntl(fd, F_OFD_SETLK, &lock));
}

class SystemFileOps final : public FileOps {
 public:
  int open(const std::filesystem::path& path, int flags, unsigned mode) override {
    return answer(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, static_cast<mode_t>(mode)));
  }

  int close(int fd) override { return answer(::close(fd)); }

  std::int64_t read_at(int fd, std::span<std::byte> out, std::uint64_t offset_bytes) override {
    return answer(std::int64_t{::pread(fd, out.data(), out.size(), static_cast<off_t>(offset_bytes))});
  }

  std::int64_t write_at(int fd, ByteView bytes, std::uint64_t offset_bytes) override {
    return answer(std::int64_t{::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset_bytes))});
  }

  int truncate(int fd, std::uint64_t size_bytes) override {
    return answer(::ftruncate(fd, static_cast<off_t>(size_bytes)));
  }

  int will_need(int fd, std::uint64_t offset_bytes, std::uint64_t size_bytes) override {
    return -::posix_fadvise(fd, static_cast<off_t>(offset_bytes), static_cast<off_t>(size_bytes), POSIX_FADV_WILLNEED);
  }
  int sync(int fd) override { return answer(::fsync(fd)); }

  int status(const std::filesystem::path& path, FileStatus& out) override {
    struct stat found = {};
    const int result = answer(::lstat(path.c_str(), &found));
    if (result == -ENOENT) {
      out = {};
      return 0;
    }
    if (result == 0) out = status_from(found);
    return result;
  }

  int status_of(int fd, FileStatus& out) override {
    struct stat found = {};
    const int result = answer(::fstat(fd, &found));
    if (result == 0) out = status_from(found);
    return result;
  }

  int rename(const std::filesystem::path& from, const std::filesystem::path& to, RenameMode mode) override {
    if (mode == RenameMode::replace) return answer(::rename(from.c_str(), to.c_str()));
    const int result = answer(::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE));
    if (result != -EINVAL && result != -ENOSYS) return result;
    // Not every kernel and file system knows the flag. A link never replaces either; a crash leaves both names.
    const int linked = answer(::link(from.c_str(), to.c_str()));
    return linked < 0 ? linked : answer(::unlink(from.c_str()));
  }

  int remove(const std::filesystem::path& path) override { return answer(::unlink(path.c_str())); }

  int remove_directory(const std::filesystem::path& path) override { return answer(::rmdir(path.c_str())); }

  int make_directory(const std::filesystem::path& path, unsigned mode) override {
    return answer(::mkdir(path.c_str(), static_cast<mode_t>(mode)));
  }

  int real_path(const std::filesystem::path& path, std::filesystem::path& out) override {
    const std::unique_ptr<char, decltype(&std::free)> found(::realpath(path.c_str(), nullptr), &std::free);
    if (found == nullptr) return -errno;
    out = found.get();
    return 0;
  }

  int file_system(const std::filesystem::path& path, FileSystemStatus& out) override {
    struct statfs found = {};
    const int result = answer(::statfs(path.c_str(), &found));
    if (result == 0) out = file_system_from(found);
    return result;
  }

  int file_system_of(int fd, FileSystemStatus& out) override {
    struct statfs found = {};
    const int result = answer(::fstatfs(fd, &found));
    if (result == 0) out = file_system_from(found);
    return result;
  }

  int list(const std::filesystem::path& directory, std::vector<std::string>& names) override {
    names.clear();
    const int fd = open(directory, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return fd;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), [](DIR* open) { return ::closedir(open); });
    if (stream == nullptr) {
      const int failure = -errno;
      ::close(fd);
      return failure;
    }
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) return -errno;  // 0 at the end
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
  }

  int try_lock(int fd, LockMode mode) override {
    return answer(::flock(fd, (mode == LockMode::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB));
  }

  int try_lock_byte(int fd, std::uint64_t offset_bytes, LockMode mode) override {
    const int result = set_byte_lock(fd, offset_bytes, mode == LockMode::exclusive ? F_WRLCK : F_RDLCK);
    return result == -EACCES ? -EAGAIN : result;  // POSIX lets fcntl say either
  }

  int are_bytes_locked(int fd, std::uint64_t offset_bytes, std::uint64_t size_bytes) override {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(offset_bytes);
    lock.l_len = static_cast<off_t>(size_bytes);
    const int result = answer(::fcntl(fd, F_OFD_GETLK, &lock));
    return result < 0 ? result : (lock.l_type != F_UNLCK ? 1 : 0);
  }

  int unlock_byte(int fd, std::uint64_t offset_bytes) override { return set_byte_lock(fd, offset_bytes, F_UNLCK); }
};

}  // namespace

std::shared_ptr<FileOps> system_file_ops() {
  static const auto ops = std::make_shared<SystemFileOps>();
  return ops;
}

}  // namespace holdfast
