#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <string_view>
#include <type_traits>
#include <utility>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/core/key_range.hpp"
#include "holdfast/core/write_batch.hpp"
#include "holdfast/db/database.hpp"
#include "holdfast/db/table.hpp"
#include "holdfast/db/time_to_live.hpp"

namespace holdfast {

/// Entries of a KvStore, over a snapshot of their own: a lazy, single-pass input range as ByteRange is. While it lives,
/// the pages it shows cannot be used again.
/// Threads: one at a time.
class KvRange : public std::ranges::view_base {
 public:
  KvRange(ReadTransaction txn, const ByteTable& table, const KeyRange& range, Order order)
      : txn_(std::move(txn)), range_(table.scan(txn_, range, order)) {}
  [[nodiscard]] ByteRange::Iterator begin() { return range_.begin(); }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  ReadTransaction txn_;
  ByteRange range_;
};

/// One state of a KvStore, which later writes do not change. While it lives, the pages of that state cannot be used
/// again.
/// Threads: one at a time; it may move between threads.
class KvSnapshot {
 public:
  KvSnapshot(ReadTransaction txn, ByteTable table) noexcept : txn_(std::move(txn)), table_(std::move(table)) {}

  [[nodiscard]] std::optional<Bytes> get(std::string_view key) const { return table_.get(txn_, as_bytes(key)); }
  [[nodiscard]] bool contains(std::string_view key) const { return table_.contains(txn_, as_bytes(key)); }
  /// As ByteTable's.
  [[nodiscard]] std::optional<std::chrono::milliseconds> ttl(std::string_view key) const {
    return table_.ttl(txn_, as_bytes(key));
  }
  [[nodiscard]] std::uint64_t count() const { return table_.count(txn_); }
  /// The snapshot must outlive it.
  [[nodiscard]] ByteRange range(const KeyRange& range = {}, Order order = Order::ascending) const& {
    return table_.scan(txn_, range, order);
  }
  ByteRange range(const KeyRange& = {}, Order = Order::ascending) const&& = delete;
  [[nodiscard]] ByteRange prefix(std::string_view prefix, Order order = Order::ascending) const& {
    return range(KeyRange::with_prefix(prefix), order);
  }
  ByteRange prefix(std::string_view, Order = Order::ascending) const&& = delete;
  /// For what else tables read of the same state.
  [[nodiscard]] const ReadTransaction& transaction() const noexcept { return txn_; }

 private:
  ReadTransaction txn_;
  ByteTable table_;
};

/// A table for those who need no transactions: every call is one, whole, and durable when it returns. Calls that write
/// at the same time share one commit and one sync, each with its own answer.
///
///     KvStore settings(Database::open({.path = "state"}), "settings");
///     settings.put("theme", as_bytes("dark"));
///
/// It stands on the raw form of the table, which transactions may use beside it: table().
/// Durable: as the handle's Durability says.
/// Errors:  of every call those of its transaction, and of ByteTable; nothing of the call is then written, but after
///          one that poisons the store nobody knows.
///          StateError{would_deadlock} for a write by a thread that has a write transaction of this store.
/// Threads: all methods may be called at once. Copies are the same store.
class HOLDFAST_API KvStore {
 public:
  /// Errors: as Database::table(); OptionError for a database that is null.
  explicit KvStore(std::shared_ptr<Database> database, std::string_view table = "kv", const TableOptions& options = {});

  /// nullopt when absent. An empty value is not absent. Cost: one copy.
  [[nodiscard]] std::optional<Bytes> get(std::string_view key) const;
  [[nodiscard]] bool contains(std::string_view key) const;

  /// Without a time to live: for ever, whatever was there before. With one, here and below: UnsupportedError on a table
  /// made without expiry.
  void put(std::string_view key, ByteView value, TimeToLive ttl = TimeToLive::forever());
  /// Puts, and returns the value before.
  std::optional<Bytes> put_returning(std::string_view key, ByteView value, TimeToLive ttl = TimeToLive::forever());
  /// Whether there was a value to erase.
  bool erase(std::string_view key);

  /// All of the batch or nothing; its puts have this time to live. Errors: ConflictError when a precondition does not
  /// hold.
  void write(const WriteBatch& batch, TimeToLive ttl = TimeToLive::forever());

  /// The same, by the database's committing thread: see Database::write_async.
  [[nodiscard]] std::future<void> write_async(WriteBatch batch, TimeToLive ttl = TimeToLive::forever()) {
    return database_->write_async(table_, std::move(batch), ttl);
  }

  /// Puts `desired`, or erases where it is none, if `key` has exactly the value `expected`, or is absent where that is
  /// none; whether it did.
  bool compare_and_swap(std::string_view key, std::optional<ByteView> expected, std::optional<ByteView> desired,
                        TimeToLive ttl = TimeToLive::forever());

  /// Puts what `merged(value before)` returns, for ever, or erases where that is none; what it put. `merged` runs on
  /// this thread, once, in a transaction that commits alone; what it throws passes unchanged.
  std::optional<Bytes> merge(std::string_view key, FunctionRef<std::optional<Bytes>(std::optional<ByteView>)> merged);

  /// As ByteTable's, on a table whose entries may expire.
  bool expire(std::string_view key, TimeToLive ttl);
  bool persist(std::string_view key);
  [[nodiscard]] std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;
  std::uint64_t purge_expired(std::uint64_t limit);

  [[nodiscard]] KvRange range(const KeyRange& range = {}, Order order = Order::ascending) const;
  [[nodiscard]] KvRange prefix(std::string_view prefix, Order order = Order::ascending) const;
  /// Number of keys. Cost: O(1), and of what has expired and is not purged yet.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] KvSnapshot snapshot() const;

  /// Database::update with this table: what `use(WriteTransaction&, const ByteTable&)` returns.
  template <class F>
  auto transaction(F&& use) -> std::invoke_result_t<F&, WriteTransaction&, const ByteTable&> {
    return database_->update([&](WriteTransaction& txn) -> decltype(auto) { return use(txn, table_); });
  }

  /// Bytes of the whole store's data file, with what it keeps for later writes.
  [[nodiscard]] std::uint64_t size_on_disk_bytes() const;

  [[nodiscard]] const ByteTable& table() const noexcept { return table_; }
  [[nodiscard]] const std::shared_ptr<Database>& database() const noexcept { return database_; }

 private:
  void commit(FunctionRef<void(WriteTransaction&)> write);

  std::shared_ptr<Database> database_;
  ByteTable table_;
};

}  // namespace holdfast
