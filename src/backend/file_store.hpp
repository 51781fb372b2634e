#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backend/fair_shared_mutex.hpp"
#include "backend/file_directory.hpp"
#include "backend/file_journal.hpp"
#include "backend/file_snapshots.hpp"
#include "holdfast/backend/file.hpp"

namespace holdfast {

/// What a FileBackend, its scans and its snapshots share: one directory, whoever owns it, and who sees what of it.
///
/// Two locks. `writing_` is held by the one writer, from judging preconditions to the last sync. `visible_` guards what
/// readers see: they share it while they find a key's file, not while they read it; the writer takes it alone for the
/// moment of a rename. A batch becomes visible in one such moment, as `pending_`, which is read before the files until
/// the files have caught up.
class FileStore {
 public:
  using Snapshot = std::shared_ptr<const KeptValues>;

  FileStore(const FileOptions& options, FileDirectory::Seams seams);

  /// Without a snapshot (null): as it is now.
  bool view(std::string_view key, const KeptValues* snapshot, FunctionRef<void(ByteView)> use) const;
  /// As view(), for a key that a scan found: what is not a regular file is absent.
  bool read_listed(std::string_view key, const KeptValues& snapshot, Bytes& value) const;
  [[nodiscard]] bool has_listed(std::string_view key, const KeptValues& snapshot) const;
  /// Sorted. Some may turn out not to be regular files.
  [[nodiscard]] std::vector<std::string> keys(const KeptValues& snapshot) const;
  [[nodiscard]] Snapshot take_snapshot() const;

  void write(std::string_view key, ByteView value);
  bool erase(std::string_view key);
  void apply(const WriteBatch& batch);
  void flush();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return directory_.path(); }

 private:
  /// What an owner holds.
  struct Owner {
    File lock;
    File directory;  ///< to sync its entries
  };
  using Value = std::variant<std::monostate, std::shared_ptr<const Bytes>, File>;
  enum class Irregular { refused, absent };

  // Reading; `visible_` is held, shared or alone.
  [[nodiscard]] std::shared_ptr<const FileChanges> pending() const;
  [[nodiscard]] Value find(std::string_view key, const KeptValues* snapshot, Irregular irregular) const;

  // Ownership; `writing_` is held.
  void require_writable() const;
  void prepare_to_write();
  void own();
  [[nodiscard]] Owner claim();
  void sync_parents();
  void sweep();

  // Writing; `writing_` is held.
  void check_value(std::string_view key, ByteView value) const;
  void check_batch(const WriteBatch& batch) const;
  void judge(const WriteBatch& batch) const;
  [[nodiscard]] FileChanges effective(const WriteBatch& batch) const;
  void commit(FileChanges changes);
  void publish_journal(std::shared_ptr<const FileChanges> changes);
  void roll_forward(Owner& owner, const FileChanges& changes, Syncing syncing);
  void replace(Owner& owner, std::string_view key, ByteView value, Syncing syncing);
  bool remove(Owner& owner, std::string_view key, Syncing syncing);
  void keep_for_snapshots(std::string_view key);
  void sync_files();
  void sync_entries(Owner& owner);

  FileDirectory directory_;
  PendingJournal journal_{directory_};
  const Access access_;
  const Syncing syncing_;

  std::mutex writing_;
  mutable FairSharedMutex visible_;

  // Guarded by `visible_`; changed with both locks held.
  std::optional<Owner> owner_;
  std::shared_ptr<const FileChanges> pending_;
  mutable LivingSnapshots snapshots_;

  // Guarded by `writing_`.
  bool poisoned_ = false;
  std::set<std::string, std::less<>> unsynced_files_;
  bool entries_unsynced_ = false;
};

}  // namespace holdfast
