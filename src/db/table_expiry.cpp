#include "db/stored_key.hpp"
#include "db/table_binding.hpp"
#include "db/write_state.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/table.hpp"

namespace holdfast {

using detail::IndexedTable;
using detail::StoredKey;
using detail::Use;

/// Null when there is no such table yet, and this would make one whose entries expire.
const IndexedTable* ByteTable::find_expiring(const detail::TransactionTables& tables, Use use) const {
  const IndexedTable* const table = binding_->find(tables.index(), use);
  const bool expiring = table != nullptr ? table->record->is_expiring() : binding_->makes_expiring();
  if (!expiring) throw UnsupportedError({.capability = "expiry", .where = "table " + name()});
  return table;
}

void ByteTable::put(WriteTransaction& txn, ByteView key, ByteView value, TimeToLive ttl) const {
  const detail::WriteState& writes = writes_of(txn);
  static_cast<void>(find_expiring(writes, Use::writing));
  if (ttl.has_ended()) {
    erase(txn, key);
  } else {
    put_until(txn, key, value, detail::deadline_after(writes.now(), ttl), detail::Wrote::entry);
  }
}

bool ByteTable::expire(WriteTransaction& txn, ByteView key, TimeToLive ttl) const {
  detail::WriteState& writes = writes_of(txn);
  static_cast<void>(find_expiring(writes, Use::writing));
  if (ttl.has_ended()) return erase(txn, key);
  const auto value = get(txn, key);
  if (!value) return false;
  put_until(txn, key, *value, detail::deadline_after(writes.now(), ttl), detail::Wrote::deadline);
  return true;
}

bool ByteTable::persist(WriteTransaction& txn, ByteView key) const {
  return expire(txn, key, TimeToLive::forever());
}

std::optional<std::chrono::milliseconds> ByteTable::ttl(const Transaction& txn, ByteView key) const {
  detail::TransactionTables& tables = tables_of(txn);
  const IndexedTable* const table = find_expiring(tables, Use::reading);
  const StoredKey stored(key);
  const ByteView checked = stored.checked();
  const auto row = table != nullptr ? tables.row(*table, checked) : std::nullopt;
  if (!row) return std::nullopt;
  const detail::UnixMs deadline = detail::dated(*row).deadline;
  if (deadline <= tables.now()) return std::nullopt;
  if (binding_->seal() != nullptr) static_cast<void>(get(txn, key));  // the deadline is what was sealed
  return detail::time_left(deadline, tables.now());
}

std::uint64_t ByteTable::purge_expired(WriteTransaction& txn, std::uint64_t limit) const {
  detail::WriteState& writes = writes_of(txn);
  const IndexedTable* const table = find_expiring(writes, Use::writing);
  if (table == nullptr) return 0;
  const std::vector<Bytes> due = writes.due(*table, limit);
  for (const Bytes& key : due) writes.erase(*table, key);
  return due.size();
}

}  // namespace holdfast
