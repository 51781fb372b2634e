#include "update.hpp"

#include <algorithm>
#include <system_error>

namespace inventory {
namespace {

/// A change and the record it leaves behind (none for a removal).
struct Pending {
  Change change;
  std::optional<FileRecord> before;
  std::optional<FileRecord> after;
};

class Update {
 public:
  Update(Store& store, const UpdateOptions& options)
      : store_(store), options_(options), totals_(store.totals.load().value_or(Totals{})) {}

  void see(const FoundFile& found, const std::filesystem::path& file) {
    const auto before = store_.files.load(found.path);
    if (before && before->size_bytes == found.size_bytes && before->modified_ns == found.modified_ns) return;
    const FileRecord after{.size_bytes = found.size_bytes, .modified_ns = found.modified_ns, .sha256 = digest_of(file)};
    add({.change = {.kind = before ? "changed" : "added", .path = found.path, .size_bytes = found.size_bytes},
         .before = before,
         .after = after});
  }

  void miss(const std::string& path) {
    const auto before = store_.files.load(path);
    if (!before) return;
    add({.change = {.kind = "removed", .path = path, .size_bytes = before->size_bytes},
         .before = before,
         .after = std::nullopt});
  }

  /// Commits what is gathered: the records, the history and the totals in one batch, or nothing of it.
  void commit() {
    if (gathered_.empty()) return;
    store_.group.update([&] {
      for (const Pending& pending : gathered_) record(pending);
      store_.totals.save(totals_);
    });
    std::vector<std::string> paths;
    for (const Pending& pending : gathered_) paths.push_back(pending.change.path);
    gathered_.clear();
    if (options_.on_commit) options_.on_commit(paths);
  }

  /// Marks the run as completed; what changed since the last such mark.
  std::vector<Change> complete() {
    commit();
    std::vector<Change> changes;
    for (const auto& entry : store_.changes.scan({.after = totals_.reported_changes})) {
      changes.push_back(entry.value);
      totals_.reported_changes = entry.sequence;
    }
    ++totals_.completed_runs;
    store_.group.update([&] { store_.totals.save(totals_); });
    return changes;
  }

 private:
  void add(Pending pending) {
    gathered_.push_back(std::move(pending));
    if (gathered_.size() >= options_.group_size) commit();
  }

  void record(const Pending& pending) {
    const std::string& path = pending.change.path;
    const std::string extension = extension_of(path);
    if (pending.before) totals_.remove(extension, pending.before->size_bytes);
    if (pending.after) {
      totals_.add(extension, pending.after->size_bytes);
      store_.files.save(path, *pending.after);
    } else {
      store_.files.erase(path);
    }
    store_.changes.append(pending.change);
  }

  Store& store_;
  const UpdateOptions& options_;
  Totals totals_;
  std::vector<Pending> gathered_;
};

}  // namespace

std::vector<Change> update(Store& store, const std::filesystem::path& root, const UpdateOptions& options) {
  const std::vector<FoundFile> found = walk(root);
  std::vector<std::string> known;
  for (const std::string& path : store.files.keys()) known.push_back(path);

  Update update(store, options);
  const auto skip = [&](const std::string& path, const std::string& reason) {
    if (options.on_skip) options.on_skip(path, reason);
  };
  for (const FoundFile& file : found) {
    if (!holdfast::is_utf8(file.path)) {
      skip(file.path, "its name is not UTF-8");
      continue;
    }
    try {
      update.see(file, root / file.path);
    } catch (const std::system_error& unreadable) {
      skip(file.path, unreadable.what());
    }
  }
  for (const std::string& path : known) {
    const auto at =
        std::lower_bound(found.begin(), found.end(), path,
                         [](const FoundFile& file, const std::string& wanted) { return file.path < wanted; });
    if (at == found.end() || at->path != path) update.miss(path);
  }
  return update.complete();
}

}  // namespace inventory
