#include "holdfast/db/table.hpp"

#include <utility>

#include "db/range_reader.hpp"
#include "db/stored_key.hpp"
#include "db/table_binding.hpp"
#include "db/write_state.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {

using detail::IndexedTable;
using detail::StoredKey;
using detail::Use;

const std::string& ByteTable::name() const noexcept {
  return binding_->name();
}

detail::TransactionTables& ByteTable::tables_of(const Transaction& txn) const {
  detail::TransactionTables& tables = txn.tables();
  if (tables.environment().serial() != binding_->environment())
    throw StateError({.state = State::foreign,
                      .where = "table " + name(),
                      .problem = "the transaction is of another store: " + tables.environment().path().string()});
  return tables;
}

detail::WriteState& ByteTable::writes_of(WriteTransaction& txn) const {
  tables_of(txn);
  return *txn.state_;
}

std::optional<ByteView> ByteTable::view(const Transaction& txn, ByteView key, Bytes& scratch) const {
  detail::TransactionTables& tables = tables_of(txn);
  const StoredKey stored(key);
  const ByteView checked = stored.checked();
  const IndexedTable* const table = binding_->find(tables.index(), Use::reading);
  if (table == nullptr) return std::nullopt;
  const auto found = tables.get(*table, checked);
  if (!found || binding_->seal() == nullptr) return found;
  return binding_->open_value({.store = tables.environment().id(), .table = table->record->id, .key = key},
                              table->record->flags, *found, scratch);
}

std::optional<ByteView> ByteTable::view(const Transaction& txn, ByteView key) const {
  Bytes scratch;
  const auto found = view(txn, key, scratch);
  if (!found || found->data() != scratch.data() || found->empty()) return found;
  return tables_of(txn).keep(std::move(scratch));
}

std::optional<Bytes> ByteTable::get(const Transaction& txn, ByteView key) const {
  Bytes scratch;
  const auto lent = view(txn, key, scratch);
  if (!lent) return std::nullopt;
  return to_bytes(*lent);
}

bool ByteTable::contains(const Transaction& txn, ByteView key) const {
  detail::TransactionTables& tables = tables_of(txn);
  const StoredKey stored(key);
  const ByteView checked = stored.checked();
  const IndexedTable* const table = binding_->find(tables.index(), Use::reading);
  return table != nullptr && tables.get(*table, checked).has_value();
}

detail::RangeSource ByteTable::scan_source(const Transaction& txn, const KeyRange& range, Order order,
                                           Values values) const {
  static_cast<void>(binding_->find(tables_of(txn).index(), Use::reading));  // refuses what was made otherwise
  return detail::RangeSource(std::make_unique<detail::RangeReader>(txn.tables_, binding_, range, order, values));
}

ByteRange ByteTable::scan(const Transaction& txn, const KeyRange& range, Order order) const {
  return ByteRange(scan_source(txn, range, order));
}

LentRange ByteTable::scan_lent(const Transaction& txn, const KeyRange& range, Order order) const {
  return LentRange(scan_source(txn, range, order));
}

LentRange ByteTable::scan_keys(const Transaction& txn, const KeyRange& range, Order order) const {
  return LentRange(scan_source(txn, range, order, Values::skipped));
}

std::uint64_t ByteTable::count(const Transaction& txn) const {
  detail::TransactionTables& tables = tables_of(txn);
  const IndexedTable* const table = binding_->find(tables.index(), Use::reading);
  return table != nullptr ? tables.count(*table) : 0;
}

void ByteTable::put(WriteTransaction& txn, ByteView key, ByteView value) const {
  put_until(txn, key, value, detail::never, detail::Wrote::entry);
}

void ByteTable::put_until(WriteTransaction& txn, ByteView key, ByteView value, std::uint64_t deadline,
                          detail::Wrote wrote) const {
  detail::WriteState& writes = writes_of(txn);
  const StoredKey stored(key);
  const ByteView checked = stored.checked();
  detail::check_value(value);
  if (binding_->seal() == nullptr) return writes.put(*binding_, checked, value, deadline, wrote);
  const IndexedTable& table = writes.made(*binding_);
  Bytes sealed;
  sealed.reserve(value.size() + binding_->seal()->overhead_bytes());
  const Bytes dated = table.record->is_expiring() ? detail::dated_key(key, deadline) : Bytes();
  const ByteView bound = dated.empty() ? key : dated;
  binding_->seal_value({.store = writes.environment().id(), .table = table.record->id, .key = bound}, value, sealed);
  detail::check_value(sealed);
  writes.put(*binding_, checked, sealed, deadline, wrote);
}

bool ByteTable::insert(WriteTransaction& txn, ByteView key, ByteView value) const {
  if (contains(txn, key)) return false;
  put(txn, key, value);
  return true;
}

bool ByteTable::erase(WriteTransaction& txn, ByteView key) const {
  detail::WriteState& writes = writes_of(txn);
  const StoredKey stored(key);
  const ByteView checked = stored.checked();
  const IndexedTable* const table = binding_->find(writes.index(), Use::writing);
  if (table == nullptr || !writes.row(*table, checked)) return false;
  const bool was_there = writes.get(*table, checked).has_value();
  writes.erase(*table, checked);  // what is due too: time set back does not bring it up again
  return was_there;
}

std::uint64_t ByteTable::erase_range(WriteTransaction& txn, const KeyRange& range) const {
  std::uint64_t count = 0;
  for (const LentEntry& entry : scan_keys(txn, range))
    if (erase(txn, entry.key)) ++count;
  return count;
}

void ByteTable::clear(WriteTransaction& txn) const {
  detail::WriteState& writes = writes_of(txn);
  const IndexedTable* const table = binding_->find(writes.index(), Use::writing);
  if (table != nullptr) writes.clear(*table);
}

}  // namespace holdfast
