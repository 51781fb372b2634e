// The writing half of FileStore: single changes, batches through the journal, syncing.
#include <fcntl.h>

#include <mutex>
#include <utility>

#include "backend/file_store.hpp"
#include "core/printable.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {

void FileStore::write(std::string_view key, ByteView value) {
  require_writable();
  directory_.check_key(key);
  check_value(key, value);
  const std::lock_guard lock(writing_);
  prepare_to_write();
  directory_.check_case(key);
  replace(*owner_, key, value, syncing_);
  if (syncing_ == Syncing::now) sync_entries(*owner_);
}

bool FileStore::erase(std::string_view key) {
  require_writable();
  directory_.check_key(key);
  const std::lock_guard lock(writing_);
  if (!owner_ && !directory_.exists()) return false;
  prepare_to_write();
  if (!remove(*owner_, key, syncing_)) return false;
  if (syncing_ == Syncing::now) sync_entries(*owner_);
  return true;
}

void FileStore::apply(const WriteBatch& batch) {
  require_writable();
  check_batch(batch);
  if (batch.empty()) return;
  const std::lock_guard lock(writing_);
  prepare_to_write();
  judge(batch);
  FileChanges changes = effective(batch);
  if (changes.size() > 1) {
    commit(std::move(changes));
    return;
  }
  for (const auto& [key, value] : changes) {
    if (value) {
      replace(*owner_, key, *value, syncing_);
    } else {
      remove(*owner_, key, syncing_);
    }
    if (syncing_ == Syncing::now) sync_entries(*owner_);
  }
}

void FileStore::flush() {
  if (access_ == Access::read_only) return;
  const std::lock_guard lock(writing_);
  if (!owner_) return;
  prepare_to_write();
  sync_files();
  if (entries_unsynced_) sync_entries(*owner_);
}

void FileStore::check_value(std::string_view key, ByteView value) const {
  if (value.size() > limits::max_value_bytes) {
    throw LimitError({.limit = "max_value_bytes",
                      .maximum = limits::max_value_bytes,
                      .actual = value.size(),
                      .unit = "bytes",
                      .where = path().string() + ": key " + printable(key)});
  }
}

void FileStore::check_batch(const WriteBatch& batch) const {
  for (const auto& precondition : batch.preconditions()) directory_.check_key(precondition.key);
  for (const auto& [key, value] : batch.writes()) {
    directory_.check_key(key);
    if (value) check_value(key, *value);
  }
}

void FileStore::judge(const WriteBatch& batch) const {
  for (const auto& [key, required] : batch.preconditions()) {
    bool holds = false;
    const bool present =
        view(key, nullptr, [&, &want = required](ByteView value) { holds = want && equal(value, *want); });
    if (required ? !holds : present) {
      throw ConflictError(
          {.key = key, .problem = required ? "required to hold another value" : "required to be absent"});
    }
  }
}

/// The last write of each key, without erasures of what is absent. Refuses what could not be rolled forward.
FileChanges FileStore::effective(const WriteBatch& batch) const {
  FileChanges changes;
  for (const auto& [key, value] : batch.writes()) changes.insert_or_assign(key, value);
  std::erase_if(changes, [&](const auto& change) {
    const bool present = !directory_.names_of(change.first).empty();
    return !change.second && !present;
  });
  std::set<std::string> folded;
  for (const auto& [key, value] : changes) {
    if (value) directory_.check_case(key);
    if (directory_.ignores_case() && !folded.insert(file_name::folded(key)).second) {
      throw ConflictError({.key = key, .problem = path().string() + " ignores case, and the batch holds its double"});
    }
  }
  return changes;
}

void FileStore::commit(FileChanges changes) {
  const auto shared = std::make_shared<const FileChanges>(std::move(changes));
  publish_journal(shared);
  if (syncing_ == Syncing::now) sync_entries(*owner_);
  roll_forward(*owner_, *shared, syncing_);
  const std::unique_lock lock(visible_);
  pending_ = nullptr;
}

/// The moment of a batch: before it nothing has happened, after it everything has.
void FileStore::publish_journal(std::shared_ptr<const FileChanges> changes) {
  StagedFile staged(directory_, encode_journal(*changes), Syncing::now);
  const FileDirectory::OwnChange own_change(directory_);
  const std::unique_lock lock(visible_);
  for (const auto& change : *changes) keep_for_snapshots(change.first);
  entries_unsynced_ = true;
  try {
    staged.publish(file_name::journal);
  } catch (const IoError&) {
    // If it stands there after all, the next opening will write this batch over whatever is acknowledged until then.
    poisoned_ = true;
    poisoned_ = status_of(*directory_.ops(), path() / file_name::journal).kind != FileKind::absent;
    if (poisoned_) pending_ = std::move(changes);
    throw;
  }
  pending_ = std::move(changes);
}

/// Brings the files to what the journal says, then removes it. Any number of times, from any state in between: until
/// then the journal is what counts, so the files are synced together, which costs a file system less than one by one.
void FileStore::roll_forward(Owner& owner, const FileChanges& changes, Syncing syncing) {
  for (const auto& [key, value] : changes) {
    if (value) {
      replace(owner, key, *value, Syncing::later);
    } else {
      remove(owner, key, Syncing::later);
    }
  }
  if (syncing == Syncing::now) {
    sync_files();
    sync_entries(owner);
  }
  const FileDirectory::OwnChange own_change(directory_);
  directory_.remove(file_name::journal);
  entries_unsynced_ = true;
}

/// Once the new file has its name, the key has its new value; other spellings go after that is durable.
void FileStore::replace(Owner& owner, std::string_view key, ByteView value, Syncing syncing) {
  const auto names = directory_.names_of(key);
  const std::string canonical = file_name::encode(key);
  const FileDirectory::OwnChange own_change(directory_);
  StagedFile staged(directory_, value, syncing);
  {
    const std::unique_lock lock(visible_);
    keep_for_snapshots(key);
    entries_unsynced_ = true;
    staged.publish(canonical);
  }
  if (syncing == Syncing::later) unsynced_files_.insert(canonical);
  for (const std::string& name : names) {
    if (name == canonical) continue;
    if (syncing == Syncing::now && entries_unsynced_) sync_entries(owner);
    directory_.remove(name);
    unsynced_files_.erase(name);
  }
  entries_unsynced_ = true;
}

/// The preferred name goes last, after it is durable that no other is left to take its place.
bool FileStore::remove(Owner& owner, std::string_view key, Syncing syncing) {
  auto names = directory_.names_of(key);
  if (names.empty()) return false;
  const FileDirectory::OwnChange own_change(directory_);
  entries_unsynced_ = true;
  if (names.size() > 1) {
    for (; names.size() > 1; names.pop_back()) directory_.remove(names.back());
    if (syncing == Syncing::now) sync_entries(owner);
  }
  {
    const std::unique_lock lock(visible_);
    keep_for_snapshots(key);
    entries_unsynced_ = true;
    directory_.remove(names.front());
  }
  unsynced_files_.erase(names.front());
  return true;
}

void FileStore::keep_for_snapshots(std::string_view key) {
  snapshots_.keep(key, [&]() -> std::shared_ptr<const Bytes> {
    Value value = find(key, nullptr, Irregular::refused);
    if (const auto* file = std::get_if<File>(&value)) return std::make_shared<const Bytes>(file->read_all());
    if (const auto* bytes = std::get_if<std::shared_ptr<const Bytes>>(&value)) return *bytes;
    return nullptr;
  });
}

/// Makes what was written without a sync durable. A sync that failed once is not tried again: the kernel may have
/// dropped what it could not write, and would then say yes.
void FileStore::sync_files() {
  while (!unsynced_files_.empty()) {
    auto file = open_existing(directory_.ops(), path() / *unsynced_files_.begin(), O_RDONLY | O_NONBLOCK);
    if (file) {
      poisoned_ = true;  // until we know better
      file->sync();
      poisoned_ = false;
    }
    unsynced_files_.erase(unsynced_files_.begin());
  }
}

/// Makes every change of names durable. When that fails, nobody knows which are.
void FileStore::sync_entries(Owner& owner) {
  poisoned_ = true;
  owner.directory.sync();
  poisoned_ = false;
  entries_unsynced_ = false;
}

}  // namespace holdfast
