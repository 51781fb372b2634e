#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "holdfast/core/export.hpp"
#include "holdfast/core/write_batch.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/db/feed.hpp"
#include "holdfast/db/options.hpp"
#include "holdfast/db/stats.hpp"
#include "holdfast/db/table.hpp"
#include "holdfast/db/transaction.hpp"
#include "holdfast/db/watch.hpp"
#include "holdfast/seal/seal.hpp"

namespace holdfast {

namespace detail {
class Committer;
class Environment;
class StoreWatch;
}  // namespace detail

/// A store of tables in one directory, with ACID transactions: many readers, each with its own snapshot, and one writer
/// at a time, in this and other processes. It survives the crash of any of them at any moment.
///
///     auto db = Database::open({.path = "state"});
///     const ByteTable stock = db->table("stock");
///     db->update([&](WriteTransaction& txn) { stock.put(txn, as_bytes("sku-7"), as_bytes("12")); });
///
/// A handle: handles of one store in one process share its environment, which closes with the last of them and of their
/// transactions.
/// Durable: when update() or commit() returns, as the handle's Durability says.
/// Errors:  of every call: StateError{poisoned} after a commit failed in a way that leaves the store's pages unknown:
///          close all handles and open again; what was acknowledged is there.
/// Forks:   in a child of fork() every call on what its parent opened is StateError{forked}, and destroying that or
///          exiting touches nothing of the parent's; the child may open the store anew. (The child of a clone(2) or
///          _Fork(3), which run no fork handlers, must touch none of it.)
/// Threads: all methods may be called at once.
class HOLDFAST_API Database {
 public:
  /// Opens the store, or creates it.
  /// Errors: IoError (no such directory, no permission, a full disk); StateError{in_use} when somebody holds the store
  ///         alone; {foreign} for another program's file or a plain file in place of the directory; {newer_format};
  ///         {remote}; {mismatched}; CorruptionError for damage; UnsupportedError for a liblmdb that is not 0.9.
  ///         Whatever it refuses, it leaves untouched.
  [[nodiscard]] static std::shared_ptr<Database> open(const DatabaseOptions& options);
  /// A new store of this process alone, in memory: the same engine on files without names, gone with the last handle
  /// and transaction. `options.path` is the directory whose file system holds them, by default /dev/shm; it must be
  /// there, and its room is the store's. Two calls make two stores.
  /// Durable: until the process ends: every commit reaches Durability::unsynced, whatever it asked for.
  /// Crash:   a process killed while it opens may leave a directory `holdfast-memory-*`, which the next removes.
  /// Errors:  as open(); OptionError{access} when asked for reading only.
  [[nodiscard]] static std::shared_ptr<Database> open_in_memory(const DatabaseOptions& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// What `use(const ReadTransaction&)` returns, of one snapshot. Its exception passes unchanged.
  template <class F>
  auto view(F&& use) const -> std::invoke_result_t<F&, const ReadTransaction&> {
    const ReadTransaction txn = begin_read();
    return use(txn);
  }

  /// What `use(WriteTransaction&)` returns, after committing what it wrote; an exception of it rolls back and passes
  /// unchanged. When this returns, the durability asked for has been reached.
  /// Errors: as begin_write() and CommittableTransaction::commit().
  template <class F>
  auto update(F&& use, const CommitOptions& options = {}) -> std::invoke_result_t<F&, WriteTransaction&> {
    CommittableTransaction txn = begin_write();
    WriteTransaction& lent = txn;
    if constexpr (std::is_void_v<std::invoke_result_t<F&, WriteTransaction&>>) {
      use(lent);
      if (txn.is_open()) txn.commit(options);
    } else {
      auto&& result = use(lent);
      if (txn.is_open()) txn.commit(options);
      return std::forward<decltype(result)>(result);
    }
  }

  /// Errors: LimitError{max_readers} when after `busy_timeout` all are still taken, by all processes together; those of
  /// dead processes do not count. LimitError{map_reserve_bytes} when another process has grown the store, and
  /// transactions of this one did not let its map follow in time.
  [[nodiscard]] ReadTransaction begin_read() const;
  /// Waits for the writers before, of all processes, first come first served within this one. Errors:
  /// StateError{in_use} when its turn has not come after the handle's busy_timeout; {would_deadlock}, at once, when
  /// this thread has one already; {read_only}; LimitError{map_reserve_bytes} as begin_read(), within the same
  /// busy_timeout.
  [[nodiscard]] CommittableTransaction begin_write();
  /// nullopt when the turn has not come after `timeout`, within which the map has to follow, too. Errors: as
  /// begin_write(), without {in_use}.
  [[nodiscard]] std::optional<CommittableTransaction> try_begin_write(std::chrono::milliseconds timeout);

  /// Gives a batch for `table` to this handle's committing thread, which is started by the first, and does not wait:
  /// batches that gather while others are being committed share the next commit. They are committed in the order given,
  /// each whole, with this time to live for what it puts. The future is fulfilled when its batch is as durable as the
  /// handle's commits are, or holds its failure: ConflictError and whatever else is wrong with the batch, of that batch
  /// alone; what keeps the commit from happening, StateError{in_use} after busy_timeout and the errors of
  /// CommittableTransaction::commit(), of those it could not commit. The batches after one that fails go on.
  ///
  ///     done.push_back(db->write_async(events, WriteBatch().put(key, value)));
  ///
  /// Memory:  waits while all that is given and not committed holds about the handle's `async_bytes`.
  /// Closing: destroying the handle commits what it was given, and waits until every future is fulfilled or has failed.
  /// Errors:  of the call itself StateError{read_only, forked}; IoError when there can be no thread. In a child of
  ///          fork() the futures that its parent was given are never fulfilled.
  [[nodiscard]] std::future<void> write_async(const ByteTable& table, WriteBatch batch,
                                              TimeToLive ttl = TimeToLive::forever());

  /// Errors: OptionError for a name that is empty, not UTF-8 or begins with `holdfast`; LimitError{max_name_bytes}.
  /// The raw form of the table, or, with `codecs`, the one that a Table of those codecs stands on.
  [[nodiscard]] ByteTable table(std::string_view name, const TableOptions& options = {},
                                const std::optional<TableCodecs>& codecs = {}) const;

  /// The tables of one state of the store, by name.
  [[nodiscard]] std::vector<TableInfo> tables() const;
  [[nodiscard]] std::vector<TableInfo> tables(const Transaction& txn) const;
  /// Removes a table with all that is in it; whether there was one. Nobody is waited for: who reads an older state goes
  /// on reading the table. Made anew, also in the same transaction, it is another table, of other codecs if need be.
  bool drop_table(WriteTransaction& txn, std::string_view name) const;
  /// Gives a table another name; whether there was one. Who knows it by the old name finds none.
  /// Errors: as table() for `to`; ConflictError when there is a table of that name.
  bool rename_table(WriteTransaction& txn, std::string_view from, std::string_view to) const;

  /// The changes after number `since` that commits have made to tables with Feed::on, by anyone, in the order of the
  /// commits: each once. 0: from the first on; then the number of the last one handled, which a follower keeps, best in
  /// the transaction that keeps what it made of it. A commit tells each key that it has changed once, with what became
  /// of it at last (one that spilled: again for each part), and nothing that left the store as it was; within it the
  /// changes are in the order of tables and keys. Those of what is rolled back have never been.
  /// A range to use once, as those of tables. In a write transaction: what was committed before it, and what of it has
  /// spilled. A dropped table is told as a clear, a migrated one so, too, and then key by key as the new table that it
  /// is; a renamed one not at all. Backups and compacted copies go on with the feed of their state; a loaded store
  /// begins a new one, a salvaged one goes on above the numbers it could read: who follows takes its tables anew.
  /// Errors: RestoreError{not_retained}, with the oldest number kept, when changes after `since` are kept no more: copy
  ///         the tables and go on from feed().last of that snapshot; StateError{foreign} when `since` was never given
  ///         here, as after a restore. Of the range CorruptionError.
  [[nodiscard]] ChangeRange changes(const Transaction& txn, std::uint64_t since = 0) const;
  ChangeRange changes(Transaction&&, std::uint64_t = 0) const = delete;
  /// Which changes are kept. O(log n).
  [[nodiscard]] FeedExtent feed(const Transaction& txn) const;

  /// Tells `use` the changes of `table` whose keys begin with `prefix` ("": all), and each clear of it, a drop too,
  /// from now on, or those after `since`, as long as the Watch lives. Errors: UnsupportedError for a table without a
  /// feed; OptionError when `use` is null; of `since` as changes(); as begin_read().
  [[nodiscard]] Watch watch(const ByteTable& table, std::string_view prefix, std::function<void(const FeedChange&)> use,
                            std::optional<std::uint64_t> since = {}) const;

  /// Judges every page of one state of the store, and what is in it, while readers and writers go on. The pages of that
  /// state cannot be used again until it returns. Finds structure that is damaged, values whose seal is broken, pages
  /// used twice or lost; changed bytes in tables without a seal it cannot see.
  /// Errors: CorruptionError when no meta page can be trusted; IoError; as begin_read().
  /// Cost:   reads the whole store once, without mapping it; a bit of memory for each page.
  [[nodiscard]] CheckReport check(const CheckOptions& options = {}) const;
  /// The same in parts, for idle moments: about `page_budget` pages from where `cursor` stands, in the state of now,
  /// and moves it; after the last it begins again. What only the whole can show is left out: numbers of entries and
  /// pages, the free list, pages used twice or lost.
  [[nodiscard]] CheckReport check_part(CheckCursor& cursor, std::uint64_t page_budget,
                                       const CheckOptions& options = {}) const;

  /// Makes every commit so far survive power loss. Errors: IoError, which poisons.
  void flush();

  /// Figures for whoever operates the store. Errors: as begin_read(). Cost: said there for each; one snapshot.
  [[nodiscard]] StoreStats stats() const;

  /// Random, given at creation, kept for the life of the store and by its copies.
  [[nodiscard]] const StoreId& id() const noexcept;
  /// The directory, absolute and without links.
  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  [[nodiscard]] Access access() const noexcept { return options_.access; }
  [[nodiscard]] Durability durability() const noexcept { return options_.durability; }

  /// What this handle was opened with.
  [[nodiscard]] const DatabaseOptions& options() const noexcept { return options_; }

  /// The library's own way in: the type is private to it.
  [[nodiscard]] const std::shared_ptr<detail::Environment>& environment() const noexcept { return environment_; }
  /// To be called after each commit made for this handle, with no lock held.
  void after_commit() const noexcept;
  /// Errors: StateError{forked, read_only}.
  void require_writable() const;

 private:
  Database(std::shared_ptr<detail::Environment> environment, DatabaseOptions options);
  void require_table_name(std::string_view name) const;
  void require_own(const detail::TransactionTables& tables) const;
  [[nodiscard]] detail::WriteState& writes_of(WriteTransaction& txn) const;

  std::shared_ptr<detail::Environment> environment_;
  DatabaseOptions options_;
  std::shared_ptr<detail::StoreWatch> watch_;  ///< null without an observer
  std::once_flag async_once_;
  std::unique_ptr<detail::Committer> committer_;  ///< null until it has work; destroyed first, while all else is there
};

}  // namespace holdfast
