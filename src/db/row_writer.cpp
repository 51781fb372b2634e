#include "db/row_writer.hpp"

#include "holdfast/core/byte_order.hpp"

namespace holdfast::detail {
namespace {

UnixMs deadline_of(std::optional<ByteView> stored) {
  return stored ? dated(*stored).deadline : never;
}

ChangeKind kind_of(bool erased, Wrote wrote, UnixMs before, UnixMs after, UnixMs now) {
  if (erased) return before <= now ? ChangeKind::expired : ChangeKind::erase;
  if (wrote == Wrote::entry) return ChangeKind::put;
  return after == never ? ChangeKind::persist : ChangeKind::expire_set;
}

}  // namespace

void RowWriter::write(const TableRows& table, ByteView key, std::optional<ByteView> stored, Wrote wrote) {
  const bool expiring = (table.flags & expiring_flag) != 0;
  const UnixMs before = expiring ? deadline_of(txn_->get(table.handle, key)) : never;
  const UnixMs after = expiring ? deadline_of(stored) : never;
  if (!write_row(table.handle, key, stored)) return;
  if (expiring) move_deadline(table.table_id, key, before, after);
  if ((table.flags & fed_flag) == 0) return;
  feed_->append(table.table_id, kind_of(!stored, wrote, before, after, feed_->now()), key);
}

void RowWriter::apply(const TableRows& table, const WriteSet& set) {
  for (const auto& [key, write] : set.entries()) this->write(table, key, write.value, write.wrote);
}

void RowWriter::clear(const TableRows& table) {
  const bool reported = (table.flags & fed_flag) != 0 && view(table.handle).count() > 0;
  txn_->clear(table.handle);
  if (reported) feed_->append(table.table_id, ChangeKind::clear, {});
  if ((table.flags & expiring_flag) == 0) return;
  const auto prefix = big_endian(table.table_id);
  const auto cursor = view(index_).cursor();
  for (auto row = cursor->seek(prefix); row && as_text(row->key).starts_with(as_text(prefix));
       row = cursor->seek(prefix))
    txn_->erase(index_, to_bytes(row->key));
}

bool RowWriter::write_row(LmdbHandle handle, ByteView key, std::optional<ByteView> stored) {
  if (!stored) return txn_->erase(handle, key);
  txn_->put(handle, key, *stored);
  return true;
}

void RowWriter::move_deadline(std::uint64_t table_id, ByteView key, UnixMs before, UnixMs after) {
  if (before == after) return;
  if (before != never) txn_->erase(index_, index_key(table_id, before, key));
  if (after != never) txn_->put(index_, index_key(table_id, after, key), {});
}

LmdbView RowWriter::view(LmdbHandle handle) const {
  return {lent(*txn_), handle};
}

}  // namespace holdfast::detail
