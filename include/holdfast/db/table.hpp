#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/key_range.hpp"
#include "holdfast/db/table_options.hpp"
#include "holdfast/db/table_range.hpp"
#include "holdfast/db/time_to_live.hpp"
#include "holdfast/db/transaction.hpp"

namespace holdfast {

class BulkLoader;

namespace detail {
class GroupedWrites;
class Migration;
class TableBinding;
struct IndexedTable;
enum class Use;
enum class Wrote : std::uint8_t;
}  // namespace detail

/// A named table of bytes by key: a value to use with transactions of the store it was taken from. It is made by the
/// first put; until then it reads as empty. Every byte string up to 511 bytes is a key ("" and those that begin with
/// NUL are stored one byte longer, see FORMAT.md); order is byte order.
/// It is the raw form of every Table: it reads tables of all codecs, and writes those of bytes.
/// Errors: of every call StateError{foreign} for a transaction of another store, {closed} for an ended one,
///         {mismatched} when the table was made with another seal or, when writing, with other codecs; LimitError for a
///         key above limits::max_key_bytes or a value above limits::max_value_bytes; CorruptionError, naming table and
///         key, for a value that its seal does not open. Of writes also LimitError{write_set_bytes} in a savepoint, and
///         the errors of a commit where a large transaction spills, which end it.
/// Threads: all methods may be called at once; what they use of a transaction is the transaction's to say.
class HOLDFAST_API ByteTable {
 public:
  [[nodiscard]] const std::string& name() const noexcept;

  /// A copy of the value; nullopt when absent. An empty value is not absent.
  [[nodiscard]] std::optional<Bytes> get(const Transaction& txn, ByteView key) const;

  /// The value, lent without a copy until the transaction ends or, in a write transaction, writes this key, clears the
  /// table, rolls back the savepoint that wrote it, or spills. A seal that changes values makes one that is kept as
  /// long as the transaction.
  [[nodiscard]] std::optional<ByteView> view(const Transaction& txn, ByteView key) const;
  std::optional<ByteView> view(Transaction&&, ByteView) const = delete;
  /// The same, lent also no longer than `scratch` is left alone, where such a seal makes it.
  [[nodiscard]] std::optional<ByteView> view(const Transaction& txn, ByteView key, Bytes& scratch) const;
  std::optional<ByteView> view(Transaction&&, ByteView, Bytes&) const = delete;

  [[nodiscard]] bool contains(const Transaction& txn, ByteView key) const;

  /// The entries of `range`, copied into one entry that is used again.
  [[nodiscard]] ByteRange scan(const Transaction& txn, const KeyRange& range = {},
                               Order order = Order::ascending) const;
  ByteRange scan(Transaction&&, const KeyRange& = {}, Order = Order::ascending) const = delete;
  /// The entries of `range`, lent without a copy: until `++it`, and as view() says.
  [[nodiscard]] LentRange scan_lent(const Transaction& txn, const KeyRange& range = {},
                                    Order order = Order::ascending) const;
  LentRange scan_lent(Transaction&&, const KeyRange& = {}, Order = Order::ascending) const = delete;
  /// The keys alone: values are lent as they are stored, under their seals.
  [[nodiscard]] LentRange scan_keys(const Transaction& txn, const KeyRange& range = {},
                                    Order order = Order::ascending) const;
  LentRange scan_keys(Transaction&&, const KeyRange& = {}, Order = Order::ascending) const = delete;

  /// Number of keys. O(1), in a write transaction O(log n) for each key it has written.
  [[nodiscard]] std::uint64_t count(const Transaction& txn) const;

  /// Replaces the value of `key`. Errors: LimitError{max_tables} when the table would be one too many.
  void put(WriteTransaction& txn, ByteView key, ByteView value) const;
  /// Puts where there is no value yet; whether it did.
  bool insert(WriteTransaction& txn, ByteView key, ByteView value) const;
  /// Whether there was a value to erase.
  bool erase(WriteTransaction& txn, ByteView key) const;
  /// Erases the keys in `range`; how many.
  std::uint64_t erase_range(WriteTransaction& txn, const KeyRange& range) const;
  /// Erases everything. Cost: at the commit, of the pages, not of the keys.
  void clear(WriteTransaction& txn) const;

  /// The same, on a table made with Expiry::per_entry (else UnsupportedError). Time is the handle's clock, read when a
  /// transaction begins: an entry whose time has come reads as absent on every way to it, in whole milliseconds, until
  /// it is purged. put() without a time to live is for ever. Zero and less end at once: as erase().
  void put(WriteTransaction& txn, ByteView key, ByteView value, TimeToLive ttl) const;
  /// Whether there was an entry to give a new time to live.
  bool expire(WriteTransaction& txn, ByteView key, TimeToLive ttl) const;
  /// Lets an entry live for ever; whether there was one.
  bool persist(WriteTransaction& txn, ByteView key) const;
  /// What is left of an entry's life: milliseconds::max() for ever, nullopt when absent.
  [[nodiscard]] std::optional<std::chrono::milliseconds> ttl(const Transaction& txn, ByteView key) const;
  /// Erases up to `limit` entries whose time has come, the earliest first; how many. Cost: of those, however many there
  /// are beside them.
  std::uint64_t purge_expired(WriteTransaction& txn, std::uint64_t limit) const;

  /// What every range is made of.
  enum class Values { opened, skipped };
  [[nodiscard]] detail::RangeSource scan_source(const Transaction& txn, const KeyRange& range, Order order,
                                                Values values = Values::opened) const;

 private:
  friend class BulkLoader;
  friend class Database;
  friend class detail::GroupedWrites;
  friend class detail::Migration;
  explicit ByteTable(std::shared_ptr<const detail::TableBinding> binding) noexcept : binding_(std::move(binding)) {}

  /// Errors: StateError when `txn` is of another store, or cannot be used here and now.
  detail::TransactionTables& tables_of(const Transaction& txn) const;
  detail::WriteState& writes_of(WriteTransaction& txn) const;
  void put_until(WriteTransaction& txn, ByteView key, ByteView value, std::uint64_t deadline,
                 detail::Wrote wrote) const;
  const detail::IndexedTable* find_expiring(const detail::TransactionTables& tables, detail::Use use) const;

  std::shared_ptr<const detail::TableBinding> binding_;
};

}  // namespace holdfast
