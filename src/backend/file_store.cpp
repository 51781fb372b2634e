#include "backend/file_store.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "core/printable.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

/// A later change of the working directory does not move the store.
std::filesystem::path absolute(FileOps& ops, const std::filesystem::path& root) {
  if (root.empty()) throw OptionError({.option = "root", .problem = "no directory is named"});
  if (root.is_absolute()) return root;
  return real_path(ops, ".") / root;
}

}  // namespace

FileStore::FileStore(const FileOptions& options, FileDirectory::Seams seams)
    : directory_(seams, absolute(*seams.ops, options.root),
                 options.include_hidden ? file_name::HiddenNames::keys : file_name::HiddenNames::no_keys),
      access_(options.access),
      syncing_(options.durability == Durability::unsynced ? Syncing::later : Syncing::now) {
  if (directory_.exists() && access_ == Access::read_write) own();
}

// ---------------------------------------------------------------------------------------------------------- reading

/// An owner knows its own batches; anybody else looks whether there is a journal.
std::shared_ptr<const FileChanges> FileStore::pending() const {
  return owner_ ? pending_ : journal_.read();
}

FileStore::Value FileStore::find(std::string_view key, const KeptValues* snapshot, Irregular irregular) const {
  if (snapshot != nullptr) {
    if (const auto kept = snapshot->find(key); kept != snapshot->end()) {
      return kept->second ? Value(kept->second) : Value();
    }
  }
  if (const auto changes = pending()) {
    if (const auto change = changes->find(key); change != changes->end()) {
      return change->second ? Value(std::shared_ptr<const Bytes>(changes, &*change->second)) : Value();
    }
  }
  const auto location = directory_.locate(key);
  if (!location || (irregular == Irregular::absent && location->kind != FileKind::regular)) return {};
  auto file = directory_.open(*location);
  return file ? Value(*std::move(file)) : Value();
}

bool FileStore::view(std::string_view key, const KeptValues* snapshot, FunctionRef<void(ByteView)> use) const {
  directory_.check_key(key);
  const Value value = [&] {
    const std::shared_lock lock(visible_);
    return find(key, snapshot, Irregular::refused);
  }();
  if (const auto* file = std::get_if<File>(&value)) {
    use(file->read_all());
  } else if (const auto* bytes = std::get_if<std::shared_ptr<const Bytes>>(&value)) {
    use(**bytes);
  } else {
    return false;
  }
  return true;
}

bool FileStore::read_listed(std::string_view key, const KeptValues& snapshot, Bytes& value) const {
  const Value found = [&] {
    const std::shared_lock lock(visible_);
    return find(key, &snapshot, Irregular::absent);
  }();
  if (const auto* file = std::get_if<File>(&found)) {
    value = file->read_all();
  } else if (const auto* bytes = std::get_if<std::shared_ptr<const Bytes>>(&found)) {
    value = **bytes;
  } else {
    return false;
  }
  return true;
}

bool FileStore::has_listed(std::string_view key, const KeptValues& snapshot) const {
  const std::shared_lock lock(visible_);
  if (const auto kept = snapshot.find(key); kept != snapshot.end()) return kept->second != nullptr;
  if (const auto changes = pending()) {
    if (const auto change = changes->find(key); change != changes->end()) return change->second.has_value();
  }
  const auto location = directory_.locate(key);
  return location && location->kind == FileKind::regular;
}

std::vector<std::string> FileStore::keys(const KeptValues& snapshot) const {
  std::map<std::string_view, bool> corrections;  // whether the key is there, whatever the directory lists
  const std::shared_lock lock(visible_);
  const auto changes = pending();
  std::vector<std::string> keys = directory_.keys();
  if (changes) {
    for (const auto& [key, value] : *changes) corrections[key] = value.has_value();
  }
  for (const auto& [key, value] : snapshot) corrections[key] = value != nullptr;
  std::erase_if(keys, [&](const std::string& key) { return corrections.contains(key); });
  for (const auto& [key, present] : corrections) {
    if (present) keys.emplace_back(key);
  }
  if (!corrections.empty()) std::sort(keys.begin(), keys.end());
  return keys;
}

FileStore::Snapshot FileStore::take_snapshot() const {
  const std::unique_lock lock(visible_);
  return snapshots_.take();
}

// -------------------------------------------------------------------------------------------------------- ownership

void FileStore::require_writable() const {
  if (access_ == Access::read_only) {
    throw StateError({.state = State::read_only, .where = path().string(), .problem = "a write was attempted"});
  }
}

void FileStore::prepare_to_write() {
  if (poisoned_) {
    throw StateError({.state = State::poisoned,
                      .where = path().string(),
                      .problem = "a sync failed, and what the disk holds is unknown; open the directory again"});
  }
  if (!owner_) own();
  if (pending_) {
    roll_forward(*owner_, *pending_, syncing_);
    const std::unique_lock lock(visible_);
    pending_ = nullptr;
  }
}

void FileStore::own() {
  make_directories(directory_.ops(), path());
  Owner owner = claim();
  if (const auto changes = journal_.read()) roll_forward(owner, *changes, Syncing::now);
  sweep();
  const std::unique_lock lock(visible_);
  owner_ = std::move(owner);
}

/// A directory that nobody has owned may be new, and so may those above it: whoever made them may have crashed before
/// their names were durable. Where we may not open or sync them, they were not made by us.
void FileStore::sync_parents() {
  auto directory = real_path(*directory_.ops(), path());
  while (directory.has_relative_path()) {
    directory = directory.parent_path();
    try {
      sync_directory(directory_.ops(), directory);
    } catch (const IoError& error) {
      const int reason = error.facts().error_number;
      if (reason != EACCES && reason != EPERM && reason != EROFS && reason != EINVAL) throw;
    }
  }
}

FileStore::Owner FileStore::claim() {
  const auto& ops = directory_.ops();
  const auto lock_path = path() / file_name::lock;
  auto lock = open_existing(ops, lock_path, O_RDWR);
  if (!lock) {
    sync_parents();
    constexpr unsigned as_the_umask_allows = 0666;
    lock.emplace(ops, lock_path, O_RDWR | O_CREAT, as_the_umask_allows);
  }
  if (!try_lock(*ops, *lock, LockMode::exclusive)) {
    throw StateError({.state = State::in_use, .where = path().string(), .problem = "another FileBackend owns it"});
  }
  return {.lock = *std::move(lock), .directory = File(ops, path() / ".", O_RDONLY | O_DIRECTORY)};
}

/// Removes what writes that never ended have left.
void FileStore::sweep() {
  for (const std::string& name : list_directory(*directory_.ops(), path())) {
    if (!file_name::is_temporary(name)) continue;
    if (status_of(*directory_.ops(), path() / name).kind == FileKind::regular) directory_.remove(name);
  }
}

}  // namespace holdfast
