#include "holdfast/db/bulk_load.hpp"

#include <algorithm>
#include <utility>

#include "db/entry_batch.hpp"
#include "db/stored_key.hpp"
#include "db/write_state.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t most_batch_bytes = std::uint64_t{256} << 10;  // stays in the processor's cache

}  // namespace

BulkLoader::BulkLoader(WriteTransaction& txn, const ByteTable& table)
    : txn_(&txn), table_(&table), batch_(std::make_unique<detail::EntryBatch>()) {
  const detail::WriteState& writes = table.writes_of(txn);
  writes.require_no_savepoint("a load");
  batch_bytes_ = std::min(most_batch_bytes, writes.write_set_bytes());
  state_ = txn.state_;
}

BulkLoader::~BulkLoader() {
  if (state_) state_->end();
}

void BulkLoader::require_open() const {
  if (!state_)
    throw StateError({.state = State::closed, .where = "table " + table_->name(), .problem = "the load has ended"});
}

void BulkLoader::append(ByteView key, ByteView value) {
  require_open();
  try {
    detail::StoredKey(key).checked();
    detail::check_value(value);
    if (count_ > 0 && compare(key, last_key_) <= 0)
      throw ConflictError({.key = to_text(key), .problem = "required to be above the key loaded before it"});
    last_key_.assign(key.begin(), key.end());
    batch_->add(key, value);
    ++count_;
    if (batch_->size_bytes() >= batch_bytes_) write_batch();
  } catch (...) {
    std::exchange(state_, nullptr)->end();
    throw;
  }
}

/// Straight into the store, unless something follows from each row.
void BulkLoader::write_batch() {
  detail::WriteState& writes = table_->writes_of(*txn_);
  is_direct_ = writes.made(*table_->binding_).record->flags == 0;
  if (!is_direct_) return put_batch();
  writes.put_ascending(*table_->binding_, *batch_);
  batch_->clear();
}

void BulkLoader::put_batch() {
  for (std::size_t i = 0; i < batch_->size(); ++i) table_->put(*txn_, (*batch_)[i].key, (*batch_)[i].value);
  batch_->clear();
}

std::uint64_t BulkLoader::finish() {
  require_open();
  try {
    is_direct_ ? write_batch() : put_batch();
  } catch (...) {
    std::exchange(state_, nullptr)->end();
    throw;
  }
  state_.reset();
  return count_;
}

}  // namespace holdfast
