#include "db/range_reader.hpp"

#include <utility>

#include "db/fork_guard.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

void RangeReader::begin() {
  const IndexedTable* const table = binding_->find(tables_->index(), Use::reading);
  if (table != nullptr) {
    table_id_ = table->record->id;
    table_flags_ = table->record->flags;
  }
  stored_.emplace(table != nullptr ? tables_->cursor(*table) : nullptr, range_, order_);
}

std::span<const LentEntry> RangeReader::next_batch() {
  tables_->environment().require_own_process();
  if (tables_->ended())
    throw StateError({.state = State::closed, .where = "range", .problem = "its transaction has ended"});
  if (error_) std::rethrow_exception(error_);
  if (!stored_) begin();
  return opens_ ? open_next() : stored_->next_batch();
}

std::span<const LentEntry> RangeReader::open_next() {
  if (sealed_.empty()) sealed_ = stored_->next_batch();
  if (sealed_.empty()) return {};
  const auto [key, sealed] = sealed_.front();
  sealed_ = sealed_.subspan(1);
  try {
    const Place place{.store = tables_->environment().id(), .table = table_id_, .key = key};
    opened_ = {.key = key, .value = binding_->open_value(place, table_flags_, sealed, scratch_)};
  } catch (...) {
    error_ = std::current_exception();
    throw;
  }
  return {&opened_, 1};
}

RangeSource::RangeSource(std::unique_ptr<RangeReader> reader) noexcept
    : ended_(&reader->ended()), forks_(&forks), forks_before_(forks.load()), reader_(std::move(reader)) {}
RangeSource::~RangeSource() = default;
RangeSource::RangeSource(RangeSource&&) noexcept = default;
RangeSource& RangeSource::operator=(RangeSource&&) noexcept = default;

void RangeSource::fail() noexcept {
  next_ = last_ = nullptr;
  reader_->fail(std::current_exception());
}

const LentEntry* RangeSource::refill() {
  next_ = last_ = nullptr;
  const auto batch = reader_->next_batch();
  if (batch.empty()) return nullptr;
  next_ = batch.data();
  last_ = next_ + batch.size();
  return next_++;
}

}  // namespace holdfast::detail
