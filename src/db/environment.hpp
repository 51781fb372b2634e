#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "db/catalogue.hpp"
#include "db/feed_watchers.hpp"
#include "db/fork_guard.hpp"
#include "db/group_commit.hpp"
#include "db/lmdb_txn.hpp"
#include "db/lock_table.hpp"
#include "db/reader_slots.hpp"
#include "db/store_directory.hpp"
#include "db/store_map.hpp"
#include "db/table_handles.hpp"
#include "db/writer_lock.hpp"
#include "db/writer_queue.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/options.hpp"
#include "holdfast/seal/seal.hpp"

struct MDB_env;

namespace holdfast::detail {

struct CloseEnvironment {
  void operator()(MDB_env* environment) const noexcept;
};
using LmdbEnvironment = std::unique_ptr<MDB_env, CloseEnvironment>;

/// Errors: UnsupportedError for a version other than 0.9: its files or its rules may differ.
void require_known_lmdb(int major, int minor, int patch);
static_assert(sizeof(void*) == 8, "a store's map needs 64-bit addresses");

/// A write found no room in the map: it can be repeated in a larger one.
class MapFull final : public LimitError {
 public:
  MapFull(const std::filesystem::path& path, std::uint64_t map_bytes, std::uint64_t wanted_bytes);
  [[nodiscard]] std::uint64_t wanted_bytes() const noexcept { return facts().actual - facts().maximum; }
};

/// One store, open once in this process, shared by all handles and transactions on it and closed by the last. LMDB
/// must see a store once per process: closing a second environment would drop the locks of the first.
/// Threads: all methods may be called at once.
class Environment : public std::enable_shared_from_this<Environment> {
 public:
  /// The environment of the store at options.path: the one this process has open, or a new one.
  /// Errors: as Database::open.
  [[nodiscard]] static std::shared_ptr<Environment> open(const DatabaseOptions& options,
                                                         const std::shared_ptr<FileOps>& ops = system_file_ops());
  /// A store of its own, without names in any file system, below the directory options.path, or /dev/shm.
  /// Errors: as Database::open_in_memory.
  [[nodiscard]] static std::shared_ptr<Environment> open_in_memory(
      DatabaseOptions options, const std::shared_ptr<FileOps>& ops = system_file_ops());
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return directory_.path(); }
  /// data.mdb, to be read page by page.
  [[nodiscard]] const File& data() const noexcept { return directory_.data(); }
  [[nodiscard]] const std::shared_ptr<FileOps>& ops() const noexcept { return directory_.ops(); }
  [[nodiscard]] const StoreId& id() const noexcept { return meta_.id; }
  [[nodiscard]] std::uint64_t serial() const noexcept { return serial_; }  ///< unique in the process
  [[nodiscard]] unsigned max_readers() const noexcept { return shared_.max_readers; }
  [[nodiscard]] unsigned max_tables() const noexcept { return shared_.max_tables; }
  [[nodiscard]] Access access() const noexcept { return shared_.access; }

  [[nodiscard]] bool in_memory() const noexcept { return medium_ == Medium::memory; }
  /// What a commit that asked for `asked` can have survived.
  [[nodiscard]] Durability reached(Durability asked) const noexcept {
    if (in_memory()) return Durability::unsynced;
    return asked == Durability::unsynced ? Durability::ordered : asked;
  }

  [[nodiscard]] MDB_env* raw() const noexcept { return lmdb_.get(); }
  [[nodiscard]] WriterQueue& writers() noexcept { return writers_; }
  [[nodiscard]] GroupCommit& group_commit() noexcept { return group_commit_; }
  [[nodiscard]] WriterLock& writer_lock() noexcept { return writer_lock_; }
  [[nodiscard]] ReaderSlots& readers() noexcept { return readers_; }
  /// Gives LMDB back the slots of its table that idle readers of ours keep, and those that dead processes have left;
  /// whether there was any.
  bool free_reader_slots();
  [[nodiscard]] StoreMap& map() noexcept { return map_; }
  /// After what has waited for the disk, where there is one.
  void count_sync() noexcept {
    if (!in_memory()) syncs_.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t syncs() const noexcept { return syncs_.load(); }
  /// The number of the last commit, of all processes. Errors: StateError{poisoned}.
  [[nodiscard]] std::uint64_t last_commit();
  /// Those of the handle that opened it: what all share, and how to wait for what is done for all.
  [[nodiscard]] const DatabaseOptions& options() const noexcept { return shared_; }
  [[nodiscard]] LmdbHandle meta_table() const noexcept { return meta_handle_; }
  [[nodiscard]] LmdbHandle backend_table() const noexcept { return backend_handle_; }
  [[nodiscard]] FeedWatchers& watchers() noexcept { return watchers_; }
  [[nodiscard]] TableHandles& handles() noexcept { return handles_; }

  /// From now on every call but closing is StateError{poisoned}, for all handles.
  void poison(std::string reason) noexcept;
  /// Poisons, and keeps a write transaction that only `owner` can end: LMDB's lock on it lies in that thread's list of
  /// robust mutexes, so the memory it is in stays mapped until that thread closes the environment, or for ever.
  void abandon(MDB_txn* txn, std::thread::id owner) noexcept;
  /// Asked by whoever has the writers' turn.
  [[nodiscard]] bool has_abandoned() const noexcept { return abandoned_ != nullptr; }
  /// Whether it was opened by a process that this one was forked from. Asked before any lock is taken, by destructors
  /// too: then nothing of it may be touched.
  [[nodiscard]] bool forked() const noexcept { return opened_in_ != forks.load(std::memory_order_relaxed); }
  /// Errors: StateError{forked}.
  void require_own_process() const {
    if (forked()) throw_forked();
  }
  [[nodiscard]] bool poisoned() const noexcept { return poisoned_.load(); }
  /// Errors: StateError{forked, poisoned}.
  void require_sound() const;
  /// Judges the result of a write into an LMDB transaction: nothing has reached the file. Errors: MapFull, LimitError,
  /// CorruptionError, IoError.
  void require_written(int result, const char* operation, std::uint64_t value_bytes = 0) const;
  /// Judges the result of a commit. Refused for want of room: LimitError or IoError, and the store is as before.
  /// Anything else poisons: pages may have been dropped by the kernel that LMDB believes written.
  void require_committed(int result);
  /// As Database::flush().
  void flush();

 private:
  enum class Medium { disk, memory };

  Environment(const DatabaseOptions& options, StoreDirectory directory, Medium medium);
  /// Under the registry's lock.
  static std::shared_ptr<Environment> open_first(const std::unique_lock<std::mutex>& lock,
                                                 const DatabaseOptions& options, StoreDirectory directory,
                                                 Medium medium);
  static void close(std::unique_ptr<Environment> last) noexcept;

  [[noreturn]] void throw_forked() const;
  /// The errno of a write that found no room, though LMDB may call it EIO; 0 for everything else.
  [[nodiscard]] int lack_of_room(int result) const;
  void open_lmdb(const DatabaseOptions& options);
  void read_meta();

  /// Declared in the order of opening, closed in reverse: the locks outlive LMDB's environment.
  StoreDirectory directory_;
  LockTable lock_table_;
  LmdbEnvironment lmdb_;
  ReaderSlots readers_;
  StoreMap map_{*this};
  std::atomic<std::uint64_t> syncs_{0};
  DatabaseOptions shared_;  ///< what the first handle asked for
  Medium medium_ = Medium::disk;
  std::uint64_t serial_ = 0;
  std::uint64_t opened_in_ = forks.load();
  bool registered_ = false;
  LmdbHandle meta_handle_ = 0;
  LmdbHandle backend_handle_ = 0;
  StoreMeta meta_;
  WriterQueue writers_;
  GroupCommit group_commit_{shared_.group_wait};
  WriterLock writer_lock_{directory_.ops(), directory_.lock_file()};
  TableHandles handles_;
  FeedWatchers watchers_;
  std::atomic<bool> poisoned_{false};
  mutable std::mutex poison_mutex_;
  std::string poison_reason_;
  MDB_txn* abandoned_ = nullptr;
  std::thread::id abandoned_by_;
};

}  // namespace holdfast::detail
