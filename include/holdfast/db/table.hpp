#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/key_range.hpp"
#include "holdfast/db/transaction.hpp"

namespace holdfast {

namespace detail {
class RangeReader;
}

/// One key with its value.
struct ByteEntry {
  Bytes key{};
  Bytes value{};
  bool operator==(const ByteEntry&) const = default;
};

enum class Order { ascending, descending };

/// The entries of a table in a range of keys, in byte order or against it: a lazy, single-pass input range over a
/// transaction, its own writes included; entries written or erased ahead of the iterator while it runs are seen as
/// they are then, none is skipped or repeated. `*it` is valid until `++it`. An error is thrown again by every further
/// step: it is never the end.
/// Threads: as its transaction, which must outlive it.
class HOLDFAST_API ByteRange {
 public:
  class Iterator {
   public:
    using value_type = ByteEntry;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(ByteRange* range) noexcept : range_(range) {}
    const ByteEntry& operator*() const noexcept { return range_->entry_; }
    const ByteEntry* operator->() const noexcept { return &range_->entry_; }
    Iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { range_->advance(); }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.at_end(); }

   private:
    [[nodiscard]] bool at_end() const noexcept { return range_->ended_; }

    ByteRange* range_ = nullptr;
  };

  ~ByteRange();
  ByteRange(ByteRange&&) noexcept;
  ByteRange& operator=(ByteRange&&) noexcept;

  /// Reads the first entry. Once per range.
  [[nodiscard]] Iterator begin() {
    advance();
    return Iterator(this);
  }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  friend class ByteTable;
  explicit ByteRange(std::unique_ptr<detail::RangeReader> reader) noexcept;
  void advance();

  std::unique_ptr<detail::RangeReader> reader_;
  ByteEntry entry_;
  bool ended_ = false;
};

/// A named table of bytes by key: a name to use with transactions of the store it was taken from. It is made by the
/// first put; until then it reads as empty. Every byte string up to 511 bytes is a key ("" and those that begin with
/// NUL are stored one byte longer, see FORMAT.md); order is byte order.
/// Errors: StateError{foreign} for a transaction of another store, StateError{closed} for an ended one; LimitError for
///         a key above limits::max_key_bytes or a value above limits::max_value_bytes.
/// Threads: all methods may be called at once; what they use of a transaction is the transaction's to say.
class HOLDFAST_API ByteTable {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// A copy of the value; nullopt when absent. An empty value is not absent.
  [[nodiscard]] std::optional<Bytes> get(const Transaction& txn, ByteView key) const;

  /// The value, lent without a copy until the transaction ends or, in a write transaction, writes this key.
  [[nodiscard]] std::optional<ByteView> view(const Transaction& txn, ByteView key) const;
  std::optional<ByteView> view(Transaction&&, ByteView) const = delete;

  [[nodiscard]] ByteRange scan(const Transaction& txn, const KeyRange& range = {},
                               Order order = Order::ascending) const;
  ByteRange scan(Transaction&&, const KeyRange&, Order) const = delete;

  /// Number of keys. O(1), in a write transaction O(log n) for each key it has written.
  [[nodiscard]] std::uint64_t count(const Transaction& txn) const;

  /// Replaces the value of `key`. Errors: LimitError{max_tables} when the table would be one too many.
  void put(WriteTransaction& txn, ByteView key, ByteView value) const;
  /// Whether there was a value to erase.
  bool erase(WriteTransaction& txn, ByteView key) const;

 private:
  friend class Database;
  ByteTable(std::string name, std::uint64_t environment) noexcept : name_(std::move(name)), environment_(environment) {}

  /// Errors: StateError when `txn` is of another store, or cannot be used here and now.
  detail::TransactionTables& tables_of(const Transaction& txn) const;

  std::string name_;
  std::uint64_t environment_;  ///< which opening of which store, unique in the process
};

}  // namespace holdfast
