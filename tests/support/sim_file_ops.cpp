#include "support/sim_file_ops.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <random>

namespace holdfast::testing {
namespace {

constexpr std::uint64_t root_inode = 1;

std::string folded(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace

SimFileOps::SimFileOps(Names names) : names_(names) {
  inodes_[root_inode].kind = FileKind::directory;
}

void SimFileOps::script(Script judge, int error_number) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(judge);
  error_number_ = error_number;
  calls_ = 0;
  calls_by_operation_.clear();
}

void SimFileOps::script_call(std::size_t number, Verdict verdict, int error_number) {
  script([number, verdict](const Call& call) { return call.number == number ? verdict : Verdict::pass; }, error_number);
}

std::size_t SimFileOps::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t SimFileOps::calls(Operation operation) const {
  const std::lock_guard lock(mutex_);
  const auto count = calls_by_operation_.find(operation);
  return count == calls_by_operation_.end() ? 0 : count->second;
}

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

std::shared_ptr<SimFileOps> SimFileOps::after(Aftermath aftermath, std::uint64_t seed) const {
  const std::lock_guard lock(mutex_);
  auto found = std::make_shared<SimFileOps>(names_);
  found->inodes_ = inodes_;
  found->last_inode_ = last_inode_;
  found->time_ = time_;
  if (aftermath == Aftermath::kept) return found;
  std::mt19937_64 random(seed);
  const auto chance = [&] { return aftermath == Aftermath::mixed && random() % 2 == 0; };
  for (auto& [number, inode] : found->inodes_) {
    if (inode.content != inode.synced_content) {
      if (!chance()) {
        inode.content = inode.synced_content;
      } else if (chance()) {
        inode.content.resize(inode.content.size() / 2);
      }
    }
    Entries entries = inode.synced_entries;
    for (const auto& [name, target] : inode.entries) {
      const auto synced = inode.synced_entries.find(name);
      const bool changed = synced == inode.synced_entries.end() || synced->second != target;
      if (changed && chance()) entries[name] = target;
    }
    for (const auto& [name, target] : inode.synced_entries) {
      if (!inode.entries.contains(name) && chance()) entries.erase(name);
    }
    inode.entries = entries;
    inode.synced_entries = entries;
    inode.synced_content = inode.content;
  }
  return found;
}

std::string SimFileOps::image() const {
  const std::lock_guard lock(mutex_);
  std::string image;
  append_image(image, "", root_inode);
  return image;
}

void SimFileOps::append_image(std::string& image, const std::string& path, InodeNumber number) const {
  const auto quoted = [](ByteView bytes) { return std::to_string(bytes.size()) + ":" + to_text(bytes) + "\n"; };
  const Inode& inode = inodes_.at(number);
  image += path + " is " + std::to_string(static_cast<int>(inode.kind)) + "\n";
  image += "content " + quoted(inode.content) + "synced " + quoted(inode.synced_content);
  for (const auto& [name, target] : inode.entries) append_image(image, path + "/" + name, target);
  for (const auto& [name, target] : inode.synced_entries) {
    const auto now = inode.entries.find(name);
    const bool same = now != inode.entries.end() && now->second == target;
    image += "synced name " + path + "/" + name + (same ? " the same\n" : " another\n");
    if (!same) append_image(image, path + "/" + name, target);
  }
}

void SimFileOps::sync_everything() {
  const std::lock_guard lock(mutex_);
  for (auto& [number, inode] : inodes_) {
    inode.synced_content = inode.content;
    inode.synced_entries = inode.entries;
  }
}

void SimFileOps::put_file(const std::filesystem::path& path, ByteView content) {
  const std::lock_guard lock(mutex_);
  const Place place = resolve(path);
  const InodeNumber number = place.inode != 0 ? place.inode : create(place, FileKind::regular);
  inodes_.at(number).content = to_bytes(content);
}

void SimFileOps::put_special(const std::filesystem::path& path, FileKind kind) {
  const std::lock_guard lock(mutex_);
  create(resolve(path), kind);
}

std::optional<Bytes> SimFileOps::content(const std::filesystem::path& path) const {
  const std::lock_guard lock(mutex_);
  const Place place = resolve(path);
  return place.inode == 0 ? std::nullopt : std::optional(inodes_.at(place.inode).content);
}

std::set<std::string> SimFileOps::names(const std::filesystem::path& directory) const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> names;
  if (const Place place = resolve(directory); place.inode != 0) {
    for (const auto& entry : inodes_.at(place.inode).entries) names.insert(entry.first);
  }
  return names;
}

// ------------------------------------------------------------------------------------------------------------ names

/// What `name` names, and how it is spelled there; 0 when nothing.
SimFileOps::InodeNumber SimFileOps::find_entry(const Entries& entries, std::string& name) const {
  if (names_ == Names::told_apart) {
    const auto found = entries.find(name);
    return found == entries.end() ? 0 : found->second;
  }
  for (const auto& [entry, number] : entries) {
    if (folded(entry) == folded(name)) {
      name = entry;
      return number;
    }
  }
  return 0;
}

SimFileOps::Place SimFileOps::resolve(const std::filesystem::path& path) const {
  Place place{.inode = root_inode};
  for (const auto& component : path.lexically_normal().relative_path()) {
    if (component.empty() || component == ".") continue;
    const auto directory = inodes_.find(place.inode);
    if (directory == inodes_.end() || directory->second.kind != FileKind::directory) return {};
    place = {.directory = place.inode, .name = component.string()};
    std::string spelled = place.name;
    place.inode = find_entry(directory->second.entries, spelled);
  }
  return place;
}

SimFileOps::InodeNumber SimFileOps::create(const Place& place, FileKind kind) {
  const InodeNumber number = ++last_inode_;
  inodes_[number].kind = kind;
  Inode& directory = inodes_.at(place.directory);
  directory.entries[place.name] = number;
  touch(directory);
  return number;
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
