#include "db/write_state.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>

#include "db/entry_batch.hpp"
#include "db/row_writer.hpp"
#include "db/stored_key.hpp"
#include "db/tree_appender.hpp"
#include "db/writer_turn.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// A tree that no table has, the lowest; a new one where there is none.
std::uint64_t take_tree(Catalogue& catalogue) {
  std::set<std::uint64_t> taken;
  for (const auto& [name, record] : catalogue.tables) taken.insert(record.tree);
  for (std::uint64_t tree = 1; tree <= catalogue.tree_count; ++tree)
    if (!taken.contains(tree)) return tree;
  return ++catalogue.tree_count;
}

}  // namespace

WriteState::Begun WriteState::begin(const std::shared_ptr<WriterTurn>& turn, const Deadline& deadline) {
  Begun begun;
  begun.index = begin_indexed(turn->environment(), [&]() -> WriteBase& {
    begun.base.reset();  // LMDB has one at a time
    begun.base = std::make_shared<WriteBase>(turn, deadline);
    return *begun.base;
  });
  return begun;
}

WriteState::WriteState(Begun begun, const DatabaseOptions& options)
    : base_(std::move(begun.base)),
      begun_(std::move(begun.index)),
      expiry_(begun_->expiry()),
      feed_(begun_->feed()),
      feed_retention_(options.feed_retention),
      clock_(options.clock),
      busy_timeout_(options.busy_timeout),
      write_set_bytes_(options.write_set_bytes) {
  index_ = begun_;
  now_ = unix_ms(options.clock->now());
}

std::shared_ptr<WriteState> WriteState::part_of(WriteBase& whole, const DatabaseOptions& options) {
  const auto& environment = whole.environment();
  Begun begun{.base = lent(whole), .index = environment->handles().cached()};
  if (!begun.index || !whole.serves_all_handles()) return nullptr;
  const LmdbView meta(begun.base, environment->meta_table());
  if (begun.index->catalogue().change != read_catalogue_change(meta, environment->path())) return nullptr;
  const std::shared_ptr<WriteState> part(new WriteState(std::move(begun), options));
  part->is_part_ = true;
  part->write_set_bytes_ = std::numeric_limits<std::uint64_t>::max();
  return part;
}

TableWrites& WriteState::writes_of(const IndexedTable& table) {
  auto known = writes_.find(table.record->id);
  if (known == writes_.end()) {
    auto stored = table.handle != 0 ? std::make_unique<LmdbView>(base_, table.handle) : nullptr;
    known = writes_.try_emplace(table.record->id, table.handle, std::move(stored)).first;
  }
  known->second.flags = table.record->flags;
  return known->second;
}

std::uint64_t WriteState::count(const IndexedTable& table) {
  const TableWrites& writes = writes_of(table);
  const std::uint64_t rows = writes.merged.count();
  if (!table.record->is_expiring() || writes.cleared || writes.stored == nullptr) return rows;
  return live_count(rows, LmdbView(base_, expiry_), table.record->id, &writes.set, now_);
}

std::vector<Bytes> WriteState::due(const IndexedTable& table, std::uint64_t limit) {
  std::vector<Bytes> keys;
  const TableWrites& writes = writes_of(table);
  if (limit == 0 || writes.cleared || writes.stored == nullptr) return keys;
  each_due(LmdbView(base_, expiry_), table.record->id, now_, [&](ByteView key) {
    if (writes.set.find(key) == nullptr) keys.push_back(to_bytes(key));
    return keys.size() < limit;
  });
  return keys;
}

const IndexedTable& WriteState::made(const TableBinding& binding) {
  if (const IndexedTable* const found = binding.find(*index_, Use::writing)) return *found;
  Catalogue catalogue = index_->catalogue();
  if (catalogue.tables.size() >= environment().max_tables())
    throw LimitError({.limit = "max_tables",
                      .maximum = environment().max_tables(),
                      .actual = catalogue.tables.size() + 1,
                      .unit = "tables",
                      .where = environment().path().string()});
  const std::uint64_t tree = take_tree(catalogue);
  const TableRecord record = binding.record(catalogue.next_table_id++, tree);
  if (record.is_fed() && !catalogue.feed_begun_after) catalogue.feed_begun_after = 0;
  catalogue.tables.emplace(binding.name(), record);
  replace_tables(std::move(catalogue));
  return *binding.find(*index_, Use::writing);
}

void WriteState::replace_tables(Catalogue catalogue) {
  catalogue.change = begun_->catalogue().change + 1;
  std::unordered_map<std::uint64_t, LmdbHandle> handles;
  for (const IndexedTable& table : index_->tables()) handles.emplace(table.record->tree, table.handle);
  handles.emplace(expiry_tree, expiry_);
  handles.emplace(feed_tree, feed_.handle);
  auto changed = std::make_shared<const TableIndex>(std::move(catalogue), [&](std::uint64_t tree) {
    const auto known = handles.find(tree);
    return known != handles.end() ? known->second : 0;
  });
  if (undo_.is_recording()) return undo_.replace(index_, std::move(changed));
  index_ = std::move(changed);
}

void WriteState::put(const TableBinding& binding, ByteView stored_key, ByteView value, UnixMs deadline, Wrote wrote) {
  const IndexedTable* const found = binding.find(*index_, Use::writing);
  const bool expiring = found != nullptr ? found->record->is_expiring() : binding.makes_expiring();
  if (expiring) require_indexable(stored_key);
  const IndexedTable& table = found != nullptr ? *found : made(binding);
  if (!expiring) return put_row(table, stored_key, value, wrote);
  put_row(table, stored_key, stored_value(deadline, value), wrote);
}

void WriteState::put_row(const IndexedTable& table, ByteView stored_key, ByteView stored, Wrote wrote) {
  check_value(stored);
  TableWrites& writes = writes_of(table);
  if (wrote == Wrote::deadline)
    if (const Write* const before = writes.set.find(stored_key)) wrote = before->wrote;
  require_room(stored_key.size() + stored.size());
  const std::uint64_t before = writes.set.size_bytes();
  if (undo_.is_recording()) {
    undo_.write(writes, stored_key, {to_bytes(stored), wrote});
  } else {
    writes.set.put(stored_key, stored, wrote);
  }
  sets_bytes_ += writes.set.size_bytes() - before;
  spill_if_full();
}

void WriteState::put_ascending(const TableBinding& binding, const EntryBatch& entries) {
  require_no_savepoint("a load");
  const IndexedTable& table = made(binding);
  const TableWrites& writes = writes_of(table);
  if (writes.handle == 0 || is_gathered()) spill();
  spilled_ = true;
  Place place{.store = environment().id(), .table = table.record->id};
  Bytes sealed;
  try {
    TreeAppender tree(*base_, writes.handle);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto [key, value] = entries[i];
      if (binding.seal() != nullptr) {
        place.key = key;
        sealed.clear();
        binding.seal_value(place, value, sealed);
        check_value(sealed);
        value = sealed;
      }
      tree.put(StoredKey(key).view(), value);
    }
  } catch (...) {
    end();
    throw;
  }
  for (auto& [id, other] : writes_) other.merged.rebase(other.merged.base());
}

void WriteState::erase(const IndexedTable& table, ByteView stored_key) {
  TableWrites& writes = writes_of(table);
  require_room(stored_key.size());
  const std::uint64_t before = writes.set.size_bytes();
  if (undo_.is_recording()) {
    undo_.write(writes, stored_key, {});
  } else {
    writes.set.erase(stored_key);
  }
  sets_bytes_ += writes.set.size_bytes() - before;
  spill_if_full();
}

void WriteState::clear(const IndexedTable& table) {
  TableWrites& writes = writes_of(table);
  sets_bytes_ -= writes.set.size_bytes();
  if (undo_.is_recording()) {
    undo_.clear(writes);
  } else {
    writes.clear();
  }
}

void WriteState::drop(const IndexedTable& table) {
  clear(table);
  Catalogue catalogue = index_->catalogue();
  catalogue.tables.erase(*table.name);
  replace_tables(std::move(catalogue));
}

void WriteState::rename(const IndexedTable& table, std::string_view name) {
  Catalogue catalogue = index_->catalogue();
  const TableRecord record = *table.record;
  catalogue.tables.erase(*table.name);
  catalogue.tables.emplace(name, record);
  replace_tables(std::move(catalogue));
}

void WriteState::require_no_savepoint(const char* what) const {
  if (undo_.is_recording())
    throw StateError({.state = State::in_use,
                      .where = environment().path().string(),
                      .problem = std::string(what) + " inside a savepoint of the same transaction"});
}

void WriteState::roll_back_savepoint(std::size_t step_count) noexcept {
  undo_.roll_back(step_count, index_);
  sets_bytes_ = 0;
  for (const auto& [id, table] : writes_) sets_bytes_ += table.set.size_bytes();
}

void WriteState::require_room(std::uint64_t added_bytes) const {
  const std::uint64_t bytes = sets_bytes_ + undo_.size_bytes() + added_bytes;
  if (!undo_.is_recording() || bytes <= write_set_bytes_) return;
  throw LimitError({.limit = "write_set_bytes",
                    .maximum = write_set_bytes_,
                    .actual = bytes,
                    .unit = "bytes",
                    .where = environment().path().string() + ", with a savepoint open"});
}

/// After a write, not before it: what was written may have been lent by this transaction.
void WriteState::spill_if_full() {
  if (!undo_.is_recording() && sets_bytes_ > write_set_bytes_) spill();
}

void WriteState::spill() {
  open_turn();
  try {
    feed_commit_ = apply();
  } catch (...) {
    end();  // LMDB's transaction is fit for nothing else
    throw;
  }
  spilled_ = true;
  sets_bytes_ = 0;
  for (auto& [id, table] : writes_)
    if (table.handle != 0) table.settle(table.handle, std::make_unique<LmdbView>(base_, table.handle));
}

void WriteState::open_turn() {
  if (!opening_) opening_.emplace(base_->environment()->handles());
}

/// What the transaction has made.
void WriteState::open_made() {
  const Catalogue& catalogue = index_->catalogue();
  if (catalogue.feed_begun_after && !begun_->catalogue().feed_begun_after)
    feed_ = {.handle = opening_->open(*base_, feed_tree), .begun_after = *catalogue.feed_begun_after};
  std::map<std::uint64_t, std::uint64_t> trees;  // by id
  for (const IndexedTable& table : index_->tables()) trees.emplace(table.record->id, table.record->tree);
  for (auto& [id, table] : writes_) {
    const auto tree = trees.find(id);
    if (table.stored != nullptr || tree == trees.end()) continue;  // it was there, or is dropped again
    table.handle = opening_->open(*base_, tree->second);
    if ((table.flags & expiring_flag) != 0) expiry_ = opening_->open(*base_, expiry_tree);
  }
}

std::uint64_t WriteState::apply() {
  open_made();
  FeedLog feed(*base_, feed_, now_, feed_retention_, feed_commit_);
  RowWriter writer(*base_, expiry_, feed);
  for (auto& [id, table] : writes_) {
    if (table.handle == 0) continue;  // made here, and dropped again
    const TableRows rows{.table_id = id, .flags = table.flags, .handle = table.handle};
    if (table.cleared) writer.clear(rows);
    writer.apply(rows, table.set);
  }
  return feed.commit();
}

void WriteState::apply_catalogue() {
  const auto before = catalogue_records(begun_->catalogue());
  const auto after = catalogue_records(index_->catalogue());
  const LmdbHandle meta = environment().meta_table();
  for (const auto& [key, record] : before)
    if (!after.contains(key)) base_->erase(meta, as_bytes(key));
  for (const auto& [key, record] : after)
    if (const auto known = before.find(key); known == before.end() || known->second != record)
      base_->put(meta, as_bytes(key), record);
}

/// Whether there is anything that LMDB's transaction does not have yet, of what is in tables.
bool WriteState::is_gathered() const noexcept {
  return std::any_of(writes_.begin(), writes_.end(),
                     [](const auto& table) { return table.second.cleared || !table.second.set.entries().empty(); });
}

Durability WriteState::commit(Durability asked) {
  const Durability durability = environment().reached(asked);
  require_no_savepoint("a commit");
  if (!is_changed()) {
    base_->end();
    return durability;
  }
  const bool tables_changed = index_ != begun_;
  if (tables_changed) open_turn();
  const auto apply_all = [&] {
    apply();
    if (tables_changed) apply_catalogue();
  };
  if (spilled_) {  // what LMDB's transaction has already cannot be repeated in a larger map
    apply_all();
    base_->commit(durability);
  } else {
    base_->apply_and_commit(apply_all, durability, {clock_, busy_timeout_});
  }
  if (opening_) opening_->keep();
  opening_.reset();
  return durability;
}

}  // namespace holdfast::detail
