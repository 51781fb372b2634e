#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>

#include "holdfast/core/access.hpp"
#include "holdfast/core/clock.hpp"
#include "holdfast/core/durability.hpp"
#include "holdfast/core/entropy.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {

class DatabaseObserver;

/// What is kept of the change feed. What both would keep is kept; the latest change always is.
struct FeedRetention {
  std::uint64_t max_changes = std::numeric_limits<std::uint64_t>::max();  ///< of all tables together
  std::chrono::milliseconds max_age = std::chrono::milliseconds::max();   ///< by the handle's clock; max(): for ever
};

/// How to open a store. All handles of one process on one store share one environment: `access`, `durability`,
/// `busy_timeout`, `clock` and the observer are each handle's own; the fields marked *shared* must be what the first
/// handle asked for, else StateError{mismatched} names the field.
struct DatabaseOptions {
  std::filesystem::path path{};                ///< the store's directory; made, with its parents, when writing
  Access access = Access::read_write;          ///< read_only never creates and never writes a file
  Durability durability = Durability::synced;  ///< of this handle's commits; unsynced means ordered here
  /// *Shared.* Address space to reserve, halved until the system grants it; the file itself is as large as what is in
  /// it. A store that outgrows it gets more, as soon as no transaction of this process is open: a commit waits for them
  /// at most `busy_timeout`, else it is LimitError{map_reserve_bytes}.
  std::uint64_t map_reserve_bytes = limits::map_reserve_bytes;
  /// *Shared.* Read transactions at a time, all processes. Of these a process keeps up to an eighth, and no more than
  /// 128, for its next readers; it gives them up when it finds none free itself, or closes.
  unsigned max_readers = limits::max_readers;
  unsigned max_tables = limits::max_tables;  ///< *shared*: tables in the store
  /// What a write transaction of this handle gathers in memory, about. A larger one is spilled: applied to the store as
  /// it goes, unseen by others before its commit. It then ends its views where it spills, and can grow the store no
  /// further than what was reserved.
  std::uint64_t write_set_bytes = limits::write_set_bytes;
  /// What batches given to Database::write_async of this handle and not committed yet may hold, about: then the call
  /// waits. One batch alone may be larger.
  std::uint64_t async_bytes = limits::async_bytes;
  bool allow_remote = false;  ///< open on NFS, CIFS, 9p or FUSE: only if no one else does
  /// How long a call waits for others at most: for its turn to write, within this process and among processes;
  /// for readers to end when the map has to grow; for a reader to end when there are `max_readers`.
  std::chrono::milliseconds busy_timeout = std::chrono::seconds(10);
  /// *Shared.* How long a writer of the LMDB backend or a KvStore that is about to commit waits for others that wrote
  /// with it just before, so that they share its sync. One who writes alone does not wait.
  std::chrono::microseconds group_wait{100};
  /// Hears, after this handle's commits, when a reader has passed one of the next two, and when the map grew.
  /// Null costs nothing; else a commit also looks through the reader slots in use.
  std::shared_ptr<DatabaseObserver> observer{};
  std::chrono::milliseconds old_reader_age = std::chrono::minutes(1);  ///< for every reader of this process
  std::uint64_t old_reader_commits = 10'000;                           ///< for the oldest of all processes
  /// What this handle's commits let go of, a bounded number of changes each.
  FeedRetention feed_retention{};
  std::shared_ptr<const Clock> clock = system_clock();        ///< what this handle waits and ages by
  std::shared_ptr<const Entropy> entropy = system_entropy();  ///< the id of a store that is created
};

}  // namespace holdfast
