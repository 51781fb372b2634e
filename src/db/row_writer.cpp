#include "db/row_writer.hpp"

#include "holdfast/core/byte_order.hpp"

namespace holdfast::detail {
namespace {

UnixMs deadline_of(std::optional<ByteView> stored) {
  return stored ? dated(*stored).deadline : never;
}

}  // namespace

void RowWriter::write(const TableRows& table, ByteView key, std::optional<ByteView> stored) {
  if ((table.flags & expiring_flag) == 0) return write_row(table.handle, key, stored);
  const UnixMs before = deadline_of(txn_->get(table.handle, key));
  write_row(table.handle, key, stored);
  move_deadline(table.table_id, key, before, deadline_of(stored));
}

void RowWriter::apply(const TableRows& table, const WriteSet& set) {
  for (const auto& [key, write] : set.entries()) this->write(table, key, write.value);
}

void RowWriter::clear(const TableRows& table) {
  txn_->clear(table.handle);
  if ((table.flags & expiring_flag) == 0) return;
  const auto prefix = big_endian(table.table_id);
  const auto cursor = LmdbView(std::shared_ptr<WriteBase>(txn_, [](WriteBase*) {}), index_).cursor();
  for (auto row = cursor->seek(prefix); row && as_text(row->key).starts_with(as_text(prefix));
       row = cursor->seek(prefix))
    txn_->erase(index_, to_bytes(row->key));
}

void RowWriter::write_row(LmdbHandle handle, ByteView key, std::optional<ByteView> stored) {
  if (stored) {
    txn_->put(handle, key, *stored);
  } else {
    txn_->erase(handle, key);
  }
}

void RowWriter::move_deadline(std::uint64_t table_id, ByteView key, UnixMs before, UnixMs after) {
  if (before == after) return;
  if (before != never) txn_->erase(index_, index_key(table_id, before, key));
  if (after != never) txn_->put(index_, index_key(table_id, after, key), {});
}

}  // namespace holdfast::detail
