#include "support/sim_file_ops.hpp"

#include <algorithm>
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

}  // namespace holdfast::testing
