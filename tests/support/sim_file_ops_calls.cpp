// The file operations themselves; what a SimFileOps knows and finds again is in sim_file_ops.cpp.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "support/sim_file_ops.hpp"

namespace holdfast::testing {

SimFileOps::Verdict SimFileOps::judge(Operation operation, const std::filesystem::path& path) {
  ++calls_;
  ++calls_by_operation_[operation];
  if (stopped_) return Verdict::stop;
  return script_ ? script_({.operation = operation, .number = calls_, .path = path}) : Verdict::pass;
}

/// `effect(verdict)` does the work; it is not called where nothing is to happen.
template <class Result, class Effect>
Result SimFileOps::run(Operation operation, const std::filesystem::path& path, Effect effect) {
  const Verdict verdict = judge(operation, path);
  const bool was_stopped = std::exchange(stopped_, stopped_ || verdict == Verdict::stop);
  if (verdict == Verdict::stop) {
    if (!was_stopped && operation == Operation::write) static_cast<void>(effect(verdict));
    return -EIO;
  }
  if (verdict == Verdict::fail_before) return static_cast<Result>(-error_number_);
  const Result result = effect(verdict);
  return verdict == Verdict::fail_after ? static_cast<Result>(-error_number_) : result;
}

FileStatus SimFileOps::status_from(InodeNumber number) const {
  const Inode& inode = inodes_.at(number);
  return {.kind = inode.kind,
          .size_bytes = inode.content.size(),
          .device = 1,
          .inode = number,
          .hard_links = 1,
          .modified_ns = inode.modified_ns};
}

int SimFileOps::status(const std::filesystem::path& path, FileStatus& out) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::status, path, [&](Verdict) {
    const Place place = resolve(path);
    out = place.inode == 0 ? FileStatus{} : status_from(place.inode);
    return 0;
  });
}

int SimFileOps::rename(const std::filesystem::path& from, const std::filesystem::path& to, RenameMode mode) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::rename, to, [&](Verdict) {
    const Place source = resolve(from);
    const Place target = resolve(to);
    if (source.inode == 0 || target.directory == 0) return -ENOENT;
    if (target.inode != 0 && mode == RenameMode::no_replace) return -EEXIST;
    if (target.inode != 0 && inodes_.at(target.inode).kind == FileKind::directory) return -EISDIR;
    Inode& directory = inodes_.at(target.directory);
    std::string replaced = target.name;
    if (find_entry(directory.entries, replaced) != 0) directory.entries.erase(replaced);
    inodes_.at(source.directory).entries.erase(source.name);
    directory.entries[target.name] = source.inode;
    touch(inodes_.at(source.directory));
    touch(directory);
    return 0;
  });
}

int SimFileOps::remove(const std::filesystem::path& path) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::remove, path, [&](Verdict) {
    Place place = resolve(path);
    if (place.inode == 0) return -ENOENT;
    if (inodes_.at(place.inode).kind == FileKind::directory) return -EISDIR;
    Inode& directory = inodes_.at(place.directory);
    static_cast<void>(find_entry(directory.entries, place.name));
    directory.entries.erase(place.name);
    touch(directory);
    return 0;
  });
}

int SimFileOps::remove_directory(const std::filesystem::path& path) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::remove, path, [&](Verdict) {
    const Place place = resolve(path);
    if (place.inode == 0) return -ENOENT;
    if (inodes_.at(place.inode).kind != FileKind::directory) return -ENOTDIR;
    if (!inodes_.at(place.inode).entries.empty()) return -ENOTEMPTY;
    Inode& parent = inodes_.at(place.directory);
    parent.entries.erase(place.name);
    touch(parent);
    return 0;
  });
}

int SimFileOps::make_directory(const std::filesystem::path& path, unsigned) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::make_directory, path, [&](Verdict) {
    const Place place = resolve(path);
    if (place.inode != 0) return -EEXIST;
    if (place.directory == 0) return -ENOENT;
    static_cast<void>(create(place, FileKind::directory));
    return 0;
  });
}

int SimFileOps::real_path(const std::filesystem::path& path, std::filesystem::path& out) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::real_path, path, [&](Verdict) {
    out = "/" / path.lexically_normal().relative_path();
    return resolve(out).inode == 0 ? -ENOENT : 0;
  });
}

int SimFileOps::file_system(const std::filesystem::path& path, FileSystemStatus& out) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::file_system, path, [&](Verdict) {
    out = {.remote = false, .available_bytes = std::uint64_t{1} << 40U};
    return 0;
  });
}

int SimFileOps::file_system_of(int fd, FileSystemStatus& out) {
  return file_system(path_of(fd), out);
}

int SimFileOps::list(const std::filesystem::path& directory, std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::list, directory, [&](Verdict) {
    names.clear();
    const Place place = resolve(directory);
    if (place.inode == 0) return -ENOENT;
    if (inodes_.at(place.inode).kind != FileKind::directory) return -ENOTDIR;
    for (const auto& entry : inodes_.at(place.inode).entries) names.push_back(entry.first);
    return 0;
  });
}

// ------------------------------------------------------------------------------------------------------ descriptors

std::filesystem::path SimFileOps::path_of(int fd) const {
  const auto found = descriptors_.find(fd);
  return found == descriptors_.end() ? std::filesystem::path() : found->second.second;
}

SimFileOps::Inode* SimFileOps::inode_of(int fd) {
  const auto found = descriptors_.find(fd);
  return found == descriptors_.end() ? nullptr : &inodes_.at(found->second.first);
}

int SimFileOps::open(const std::filesystem::path& path, int flags, unsigned) {
  const std::lock_guard lock(mutex_);
  const int opened = run<int>(Operation::open, path, [&](Verdict verdict) {
    const Place place = resolve(path);
    InodeNumber number = place.inode;
    if (number == 0) {
      if ((flags & O_CREAT) == 0 || place.directory == 0) return -ENOENT;
      number = create(place, FileKind::regular);
    } else {
      const FileKind kind = inodes_.at(number).kind;
      if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return -EEXIST;
      if ((flags & O_DIRECTORY) != 0 && kind != FileKind::directory) return -ENOTDIR;
      if (kind == FileKind::symlink) return -ELOOP;
      if (kind == FileKind::directory && (flags & O_ACCMODE) != O_RDONLY) return -EISDIR;
      if ((flags & O_TRUNC) != 0) inodes_.at(number).content.clear();
    }
    if (verdict == Verdict::fail_after) return 0;  // it made the file, and no descriptor
    descriptors_[++last_descriptor_] = {number, path};
    return last_descriptor_;
  });
  return opened;
}

int SimFileOps::close(int fd) {
  const std::lock_guard lock(mutex_);
  const auto path = path_of(fd);
  const bool was_open = descriptors_.erase(fd) == 1;
  for (auto& [place, held] : locks_) held.holders.erase(fd);
  return run<int>(Operation::close, path, [&](Verdict) { return was_open ? 0 : -EBADF; });
}

std::int64_t SimFileOps::read_at(int fd, std::span<std::byte> out, std::uint64_t offset_bytes) {
  const std::lock_guard lock(mutex_);
  return run<std::int64_t>(Operation::read, path_of(fd), [&](Verdict verdict) -> std::int64_t {
    const Inode* inode = inode_of(fd);
    if (inode == nullptr) return -EBADF;
    if (inode->kind == FileKind::directory) return -EISDIR;
    if (offset_bytes >= inode->content.size()) return 0;
    const ByteView rest = ByteView(inode->content).subspan(static_cast<std::size_t>(offset_bytes));
    std::size_t count = std::min(rest.size(), out.size());
    if (verdict == Verdict::shorten && count > 1) count /= 2;
    std::copy_n(rest.begin(), count, out.begin());
    return static_cast<std::int64_t>(count);
  });
}

std::int64_t SimFileOps::write_at(int fd, ByteView bytes, std::uint64_t offset_bytes) {
  const std::lock_guard lock(mutex_);
  return run<std::int64_t>(Operation::write, path_of(fd), [&](Verdict verdict) -> std::int64_t {
    Inode* inode = inode_of(fd);
    if (inode == nullptr) return -EBADF;
    std::size_t count = bytes.size();
    if ((verdict == Verdict::shorten || verdict == Verdict::stop) && count > 1) count /= 2;
    const auto end = static_cast<std::size_t>(offset_bytes) + count;
    if (inode->content.size() < end) inode->content.resize(end);
    std::copy_n(bytes.begin(), count, inode->content.begin() + static_cast<std::ptrdiff_t>(offset_bytes));
    touch(*inode);
    return static_cast<std::int64_t>(count);
  });
}

int SimFileOps::truncate(int fd, std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::truncate, path_of(fd), [&](Verdict) {
    Inode* inode = inode_of(fd);
    if (inode == nullptr) return -EBADF;
    inode->content.resize(static_cast<std::size_t>(size_bytes));
    touch(*inode);
    return 0;
  });
}

int SimFileOps::sync(int fd) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::sync, path_of(fd), [&](Verdict) {
    Inode* inode = inode_of(fd);
    if (inode == nullptr) return -EBADF;
    inode->synced_content = inode->content;
    inode->synced_entries = inode->entries;
    return 0;
  });
}

int SimFileOps::status_of(int fd, FileStatus& out) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::status, path_of(fd), [&](Verdict) {
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) return -EBADF;
    out = status_from(found->second.first);
    return 0;
  });
}

int SimFileOps::take_lock(int fd, std::optional<std::uint64_t> offset_bytes, LockMode mode) {
  const auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) return -EBADF;
  Lock& lock = locks_[{found->second.first, offset_bytes}];
  const bool alone = lock.holders.empty() || (lock.holders.size() == 1 && lock.holders.contains(fd));
  if (!alone && (mode == LockMode::exclusive || lock.mode == LockMode::exclusive)) return -EAGAIN;
  lock.mode = mode;
  lock.holders.insert(fd);
  return 0;
}

int SimFileOps::try_lock(int fd, LockMode mode) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::lock, path_of(fd), [&](Verdict) { return take_lock(fd, std::nullopt, mode); });
}

int SimFileOps::try_lock_byte(int fd, std::uint64_t offset_bytes, LockMode mode) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::lock, path_of(fd), [&](Verdict) { return take_lock(fd, offset_bytes, mode); });
}

int SimFileOps::are_bytes_locked(int fd, std::uint64_t offset_bytes, std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::lock, path_of(fd), [&](Verdict) {
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) return -EBADF;
    for (const auto& [place, held] : locks_) {
      const bool inside = place.first == found->second.first && place.second && *place.second >= offset_bytes &&
                          *place.second - offset_bytes < size_bytes;
      const bool by_others = held.holders.size() > held.holders.count(fd);
      if (inside && by_others) return 1;
    }
    return 0;
  });
}

int SimFileOps::unlock_byte(int fd, std::uint64_t offset_bytes) {
  const std::lock_guard lock(mutex_);
  return run<int>(Operation::lock, path_of(fd), [&](Verdict) {
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) return -EBADF;
    const auto held = locks_.find({found->second.first, offset_bytes});
    if (held != locks_.end() && held->second.holders.erase(fd) == 1 && held->second.holders.empty()) locks_.erase(held);
    return 0;
  });
}

}  // namespace holdfast::testing
