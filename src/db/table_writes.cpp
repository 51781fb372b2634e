#include "db/table_writes.hpp"

namespace holdfast::detail {

void UndoLog::release() noexcept {
  if (--open_marks_ > 0) return;
  steps_.clear();
  size_bytes_ = 0;
}

void UndoLog::roll_back(std::size_t step_count, std::shared_ptr<const TableIndex>& index) noexcept {
  while (steps_.size() > step_count) {
    size_bytes_ -= size_of(steps_.back());
    take_back(std::move(steps_.back()), index);
    steps_.pop_back();
  }
  release();
}

void UndoLog::write(TableWrites& table, ByteView key, Write write) {
  remember(OldKey{.table = &table, .key = to_bytes(key), .before = {}});
  auto& step = std::get<OldKey>(steps_.back());
  try {
    step.before = table.set.replace(key, std::move(write));
  } catch (...) {
    size_bytes_ -= size_of(steps_.back());
    steps_.pop_back();
    throw;
  }
  if (step.before) size_bytes_ += WriteSet::size_of({}, *step.before);
}

void UndoLog::clear(TableWrites& table) {
  remember(OldTable{.table = &table, .set = {}, .cleared = table.cleared});
  auto& step = std::get<OldTable>(steps_.back());
  step.set = table.clear();
  size_bytes_ += step.set.size_bytes();
}

void UndoLog::replace(std::shared_ptr<const TableIndex>& index, std::shared_ptr<const TableIndex> changed) {
  remember(index);
  index = std::move(changed);
}

void UndoLog::remember(Step step) {
  steps_.push_back(std::move(step));
  size_bytes_ += size_of(steps_.back());
}

std::uint64_t UndoLog::size_of(const Step& step) noexcept {
  if (const auto* key = std::get_if<OldKey>(&step))
    return sizeof(Step) + key->key.size() + (key->before ? WriteSet::size_of({}, *key->before) : 0);
  if (const auto* table = std::get_if<OldTable>(&step)) return sizeof(Step) + table->set.size_bytes();
  return sizeof(Step);
}

void UndoLog::take_back(Step step, std::shared_ptr<const TableIndex>& index) noexcept {
  if (auto* key = std::get_if<OldKey>(&step)) {
    key->table->set.restore(key->key, std::move(key->before));
    key->table->merged.rebase(key->table->merged.base());
  } else if (auto* table = std::get_if<OldTable>(&step)) {
    table->table->set = std::move(table->set);
    table->table->cleared = table->cleared;
    table->table->merged.rebase(table->cleared ? nullptr : table->table->stored.get());
  } else {
    index = std::move(std::get<std::shared_ptr<const TableIndex>>(step));
  }
}

}  // namespace holdfast::detail
