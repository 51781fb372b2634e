#pragma once

#include "db/precondition.hpp"
#include "holdfast/core/write_batch.hpp"
#include "holdfast/db/table.hpp"

namespace holdfast::detail {

/// Puts also where the table knows no expiry, if it is for ever.
inline void put(WriteTransaction& txn, const ByteTable& table, std::string_view key, ByteView value, TimeToLive ttl) {
  if (ttl.is_forever()) return table.put(txn, as_bytes(key), value);
  table.put(txn, as_bytes(key), value, ttl);
}

/// Errors: ConflictError, before it has written anything; as ByteTable.
inline void write(WriteTransaction& txn, const ByteTable& table, const WriteBatch& batch, TimeToLive ttl) {
  Bytes scratch;
  for (const auto& required : batch.preconditions())
    require_holds(required, table.view(txn, as_bytes(required.key), scratch));
  for (const auto& write : batch.writes()) {
    if (write.value) {
      put(txn, table, write.key, *write.value, ttl);
    } else {
      table.erase(txn, as_bytes(write.key));
    }
  }
}

}  // namespace holdfast::detail
