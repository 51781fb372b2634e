#include "db/tree_appender.hpp"

#include <lmdb.h>

#include "db/environment.hpp"
#include "db/lmdb_error.hpp"

namespace holdfast::detail {

TreeAppender::TreeAppender(WriteBase& txn, LmdbHandle handle) : environment_(txn.environment().get()) {
  MDB_val key{};
  MDB_val value{};
  require_lmdb(mdb_cursor_open(txn.raw(), handle, &cursor_), "mdb_cursor_open", environment_->path());
  const int result = mdb_cursor_get(cursor_, &key, &value, MDB_LAST);
  if (result == MDB_NOTFOUND) return;
  if (result != 0) mdb_cursor_close(cursor_);
  require_lmdb(result, "mdb_cursor_get", environment_->path());
  const auto* const bytes = static_cast<const std::byte*>(key.mv_data);
  last_.assign(bytes, bytes + key.mv_size);
}

TreeAppender::~TreeAppender() {
  mdb_cursor_close(cursor_);
}

void TreeAppender::put(ByteView stored_key, ByteView stored) {
  if (!last_.empty() && compare(stored_key, last_) > 0) last_.clear();
  MDB_val key{stored_key.size(), const_cast<std::byte*>(stored_key.data())};
  MDB_val value{stored.size(), const_cast<std::byte*>(stored.data())};
  const int result = mdb_cursor_put(cursor_, &key, &value, last_.empty() ? MDB_APPEND : 0);
  environment_->require_written(result, "mdb_cursor_put", stored.size());
}

}  // namespace holdfast::detail
