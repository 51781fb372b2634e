#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <span>

#include "db/stored_range.hpp"
#include "db/table_binding.hpp"
#include "db/transaction_tables.hpp"
#include "holdfast/db/table.hpp"

namespace holdfast::detail {

/// A range of a table in a transaction, which it keeps. The table is looked up when the first entry is asked for: until
/// then it may be made.
class RangeReader {
 public:
  RangeReader(std::shared_ptr<TransactionTables> tables, std::shared_ptr<const TableBinding> binding, KeyRange range,
              Order order, ByteTable::Values values)
      : tables_(std::move(tables)),
        binding_(std::move(binding)),
        range_(std::move(range)),
        order_(order),
        opens_(values == ByteTable::Values::opened && binding_->seal() != nullptr) {}

  /// The rows of one of the library's own trees, from a cursor on them; null: none.
  RangeReader(std::shared_ptr<TransactionTables> tables, std::unique_ptr<OrderedCursor> rows, KeyRange range)
      : tables_(std::move(tables)), range_(std::move(range)), order_(Order::ascending), opens_(false) {
    stored_.emplace(std::move(rows), range_, order_);
  }

  [[nodiscard]] const bool& ended() const noexcept { return tables_->ended(); }

  /// As StoredRange::next_batch(). Errors also: StateError{closed, forked}, CorruptionError of a seal.
  std::span<const LentEntry> next_batch();
  /// What every further next_batch() throws.
  void fail(std::exception_ptr error) noexcept { error_ = std::move(error); }

 private:
  void begin();
  [[nodiscard]] std::span<const LentEntry> open_next();

  std::shared_ptr<TransactionTables> tables_;
  std::shared_ptr<const TableBinding> binding_;
  KeyRange range_;
  Order order_;
  bool opens_;
  std::optional<StoredRange> stored_;
  std::uint64_t table_id_ = 0;
  std::uint64_t table_flags_ = 0;
  std::span<const LentEntry> sealed_;  ///< read, and not yet opened
  LentEntry opened_;
  Bytes scratch_;
  std::exception_ptr error_;
};

}  // namespace holdfast::detail
