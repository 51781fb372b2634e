#include "db/expiry_tally.hpp"

#include "db/catalogue.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/sha256.hpp"

namespace holdfast::detail {

void ExpiryTally::Sum::add(ByteView row) {
  ++count;
  digests += from_little_endian<std::uint64_t>(sha256(row));
}

void ExpiryTally::add_entry(std::uint64_t table_id, UnixMs deadline, ByteView key) {
  if (deadline != never) tables_[table_id].deadlines.add(index_key(table_id, deadline, key));
}

void ExpiryTally::add_row(ByteView key) {
  if (key.size() <= index_prefix_bytes)
    throw CorruptionError({.where = expiry_table_name,
                           .want = "a table's id, a deadline and a key",
                           .got = std::to_string(key.size()) + " bytes"});
  tables_[from_big_endian<std::uint64_t>(key)].rows.add(key);
}

std::vector<ExpiryTally::Difference> ExpiryTally::differences() const {
  std::vector<Difference> found;
  for (const auto& [id, table] : tables_)
    if (table.deadlines != table.rows)
      found.push_back({.table_id = id, .deadlines = table.deadlines.count, .rows = table.rows.count});
  return found;
}

}  // namespace holdfast::detail
