#include "db/transaction_tables.hpp"

#include <tuple>
#include <utility>
#include <vector>

#include "db/writer_turn.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// Begins transactions until one can use the handles of all tables it sees: those that another process has made, or
/// another thread has opened, after this one began need another try.
template <class Base, class Source>
std::pair<std::shared_ptr<Base>, std::shared_ptr<const Catalogue>> begin(
    const std::shared_ptr<Environment>& environment, const Source& source) {
  TableHandles& handles = environment->handles();
  for (;;) {
    const std::uint64_t opened = handles.opened();
    auto base = std::make_shared<Base>(source);
    const LmdbView meta(base, environment->meta_table());
    auto catalogue = handles.cached();
    if (!catalogue || catalogue->change != read_catalogue_change(meta, environment->path())) {
      catalogue = std::make_shared<const Catalogue>(read_catalogue(meta, environment->path()));
      handles.open_missing(environment, *catalogue);
      handles.remember(catalogue);
    }
    if (handles.opened() == opened) return {std::move(base), std::move(catalogue)};
  }
}

}  // namespace

ReadState::ReadState(const std::shared_ptr<Environment>& environment) {
  std::tie(base_, catalogue_) = begin<ReadBase>(environment, environment);
}

const OrderedView* ReadState::find(std::string_view name) {
  if (const auto known = views_.find(name); known != views_.end()) return &known->second;
  const auto table = catalogue_->tables.find(name);
  if (table == catalogue_->tables.end()) return nullptr;
  const LmdbHandle handle = base_->environment()->handles().handle(table->second.id);
  return &views_.emplace(name, LmdbView(base_, handle)).first->second;
}

WriteState::WriteState(const std::shared_ptr<WriterTurn>& turn) {
  std::tie(base_, catalogue_) = begin<WriteBase>(turn->environment(), turn);
  made_.change = catalogue_->change;
  made_.next_table_id = catalogue_->next_table_id;
}

WriteState::TableWrites& WriteState::writes_of(std::string_view name) {
  if (const auto known = writes_.find(name); known != writes_.end()) return known->second;
  std::unique_ptr<LmdbView> view;
  if (const auto table = catalogue_->tables.find(name); table != catalogue_->tables.end())
    view = std::make_unique<LmdbView>(base_, base_->environment()->handles().handle(table->second.id));
  return writes_.try_emplace(std::string(name), std::move(view)).first->second;
}

const OrderedView* WriteState::find(std::string_view name) {
  return &writes_of(name).merged;
}

void WriteState::make_table(std::string_view name) {
  const std::size_t tables = catalogue_->tables.size() + made_.tables.size();
  if (tables >= environment().max_tables())
    throw LimitError({.limit = "max_tables",
                      .maximum = environment().max_tables(),
                      .actual = tables + 1,
                      .unit = "tables",
                      .where = environment().path().string()});
  made_.tables.emplace(name, TableRecord{.id = made_.next_table_id,
                                         .key_codec = {.name = "raw", .version = 1},
                                         .value_codec = {.name = "raw", .version = 1}});
  ++made_.next_table_id;
  made_.change = catalogue_->change + 1;
}

void WriteState::put(std::string_view name, ByteView key, ByteView value) {
  TableWrites& writes = writes_of(name);
  if (!writes.base && !made_.tables.contains(name)) make_table(name);
  writes.set.put(key, value);
}

bool WriteState::erase(std::string_view name, ByteView key) {
  TableWrites& writes = writes_of(name);
  if (!writes.merged.get(key)) return false;
  writes.set.erase(key);
  return true;
}

void WriteState::apply(LmdbHandle handle, const WriteSet& set) {
  for (const auto& [key, value] : set.entries()) {
    if (value) {
      base_->put(handle, key, *value);
    } else {
      base_->erase(handle, key);
    }
  }
}

Durability WriteState::commit(Durability asked) {
  const Durability durability = environment().reached(asked);
  bool changed = false;
  for (const auto& [name, writes] : writes_) {
    if (writes.set.entries().empty()) continue;
    changed = true;
    if (writes.base) apply(base_->environment()->handles().handle(catalogue_->tables.at(name).id), writes.set);
  }
  if (!changed) {
    base_->end();
    return durability;
  }
  if (made_.tables.empty()) {
    base_->commit(durability);
    return durability;
  }

  for (const auto& [key, value] : catalogue_records(made_))
    base_->put(environment().meta_table(), as_bytes(key), value);
  std::vector<std::uint64_t> ids;
  for (const auto& [name, record] : made_.tables) ids.push_back(record.id);
  base_->environment()->handles().create(*base_, ids, [&](const std::vector<LmdbHandle>& created) {
    std::size_t next = 0;
    for (const auto& [name, record] : made_.tables) apply(created[next++], writes_.at(name).set);
    base_->commit(durability);
  });
  return durability;
}

}  // namespace holdfast::detail
