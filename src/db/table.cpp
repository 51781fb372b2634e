#include "holdfast/db/table.hpp"

#include <utility>

#include "db/stored_key.hpp"
#include "db/stored_range.hpp"
#include "db/transaction_tables.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace detail {

/// A range of a table, and the transaction it stands on.
class RangeReader {
 public:
  RangeReader(std::shared_ptr<TransactionTables> tables, const OrderedView* view, const KeyRange& range, Order order)
      : tables_(std::move(tables)), range_(view != nullptr ? view->cursor() : nullptr, range, order) {}

  /// Whether there was another entry to write over `entry`.
  bool next(ByteEntry& entry) {
    tables_->environment().require_own_process();
    if (tables_->ended())
      throw StateError({.state = State::closed, .where = "range", .problem = "its transaction has ended"});
    const auto value = range_.next(entry.key);
    if (value) entry.value.assign(value->begin(), value->end());
    return value.has_value();
  }

 private:
  std::shared_ptr<TransactionTables> tables_;
  StoredRange range_;
};

}  // namespace detail

ByteRange::ByteRange(std::unique_ptr<detail::RangeReader> reader) noexcept : reader_(std::move(reader)) {}
ByteRange::~ByteRange() = default;
ByteRange::ByteRange(ByteRange&&) noexcept = default;
ByteRange& ByteRange::operator=(ByteRange&&) noexcept = default;

void ByteRange::advance() {
  ended_ = !reader_->next(entry_);
}

detail::TransactionTables& ByteTable::tables_of(const Transaction& txn) const {
  detail::TransactionTables& tables = txn.tables();
  if (tables.environment().serial() != environment_)
    throw StateError({.state = State::foreign,
                      .where = "table " + name_,
                      .problem = "the transaction is of another store: " + tables.environment().path().string()});
  return tables;
}

std::optional<ByteView> ByteTable::view(const Transaction& txn, ByteView key) const {
  const detail::StoredKey stored(key);
  const detail::OrderedView* const view = tables_of(txn).find(name_);
  const ByteView checked = stored.checked();
  return view != nullptr ? view->get(checked) : std::nullopt;
}

std::optional<Bytes> ByteTable::get(const Transaction& txn, ByteView key) const {
  const auto lent = view(txn, key);
  if (!lent) return std::nullopt;
  return to_bytes(*lent);
}

ByteRange ByteTable::scan(const Transaction& txn, const KeyRange& range, Order order) const {
  const detail::OrderedView* const view = tables_of(txn).find(name_);
  return ByteRange(std::make_unique<detail::RangeReader>(txn.tables_, view, range, order));
}

std::uint64_t ByteTable::count(const Transaction& txn) const {
  const detail::OrderedView* const view = tables_of(txn).find(name_);
  return view != nullptr ? view->count() : 0;
}

void ByteTable::put(WriteTransaction& txn, ByteView key, ByteView value) const {
  tables_of(txn);
  const detail::StoredKey stored(key);
  detail::check_value(value);
  txn.state_->put(name_, stored.checked(), value);
}

bool ByteTable::erase(WriteTransaction& txn, ByteView key) const {
  tables_of(txn);
  const detail::StoredKey stored(key);
  return txn.state_->erase(name_, stored.checked());
}

}  // namespace holdfast
