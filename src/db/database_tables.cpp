#include "db/environment.hpp"
#include "db/table_binding.hpp"
#include "db/write_state.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/database.hpp"
#include "holdfast/db/migrate.hpp"

/// The tables of a store as such: their names, what they are like, how they come and go.
namespace holdfast {

void Database::require_table_name(std::string_view name) const {
  environment_->require_own_process();
  if (name.empty()) throw OptionError({.option = "table name", .problem = "is empty"});
  if (name.size() > limits::max_name_bytes)
    throw LimitError({.limit = "max_name_bytes",
                      .maximum = limits::max_name_bytes,
                      .actual = name.size(),
                      .unit = "bytes",
                      .where = path().string()});
  if (!is_utf8(name)) throw OptionError({.option = "table name", .problem = "is not UTF-8"});
  if (name.starts_with("holdfast"))
    throw OptionError({.option = "table name", .problem = "names that begin with \"holdfast\" are the library's own"});
}

ByteTable Database::table(std::string_view name, const TableOptions& options,
                          const std::optional<TableCodecs>& codecs) const {
  require_table_name(name);
  return ByteTable(
      std::make_shared<const detail::TableBinding>(std::string(name), environment_->serial(), codecs, options));
}

detail::WriteState& Database::writes_of(WriteTransaction& txn) const {
  require_own(txn.tables());
  return *txn.state_;
}

void Database::require_own(const detail::TransactionTables& tables) const {
  if (tables.environment().serial() != environment_->serial())
    throw StateError({.state = State::foreign,
                      .where = path().string(),
                      .problem = "the transaction is of another store: " + tables.environment().path().string()});
}

std::vector<TableInfo> Database::tables() const {
  return view([&](const ReadTransaction& txn) { return tables(txn); });
}

std::vector<TableInfo> Database::tables(const Transaction& txn) const {
  detail::TransactionTables& tables = txn.tables();
  require_own(tables);
  std::vector<TableInfo> infos;
  for (const detail::IndexedTable& table : tables.index().tables())
    infos.push_back({.name = *table.name,
                     .id = table.record->id,
                     .codecs = table.record->codecs,
                     .schema_version = table.record->schema_version,
                     .seal = table.record->seal,
                     .count = tables.count(table)});
  return infos;
}

bool Database::drop_table(WriteTransaction& txn, std::string_view name) const {
  detail::WriteState& writes = writes_of(txn);
  const detail::IndexedTable* const table = writes.index().find(name);
  if (table == nullptr) return false;
  writes.drop(*table);
  return true;
}

bool Database::rename_table(WriteTransaction& txn, std::string_view from, std::string_view to) const {
  detail::WriteState& writes = writes_of(txn);
  require_table_name(to);
  const detail::IndexedTable* const table = writes.index().find(from);
  if (table == nullptr) return false;
  if (from == to) return true;
  if (writes.index().find(to) != nullptr)
    throw ConflictError({.key = std::string(to), .problem = "required to be no table's name, is one"});
  writes.rename(*table, to);
  return true;
}

namespace detail {

bool Migration::is_done(const Transaction& txn, const ByteTable& to) {
  const IndexedTable* const table = to.tables_of(txn).index().find(to.name());
  return table == nullptr || to.binding_->matches(*table->record);
}

bool Migration::is_expiring(const Transaction& txn, const ByteTable& table) {
  const IndexedTable* const found = table.tables_of(txn).index().find(table.name());
  return found != nullptr && found->record->is_expiring();
}

ByteTable Migration::stage(const Transaction& txn, const ByteTable& to) {
  const IndexedTable* const found = to.tables_of(txn).index().find(to.name());
  const bool expiring = to.binding_->makes_expiring() || is_expiring(txn, to);
  const bool fed = to.binding_->makes_fed() || (found != nullptr && found->record->is_fed());
  return ByteTable(to.binding_->renamed("holdfast.migrating." + to.name(), expiring ? Expiry::per_entry : Expiry::none,
                                        fed ? Feed::on : Feed::off));
}

void Migration::finish(WriteTransaction& txn, const ByteTable& stage, const ByteTable& to) {
  WriteState& writes = to.writes_of(txn);
  static_cast<void>(writes.made(*stage.binding_));  // also when nothing was put
  writes.drop(*writes.index().find(to.name()));
  writes.rename(*writes.index().find(stage.name()), to.name());
}

void Migration::abandon(WriteTransaction& txn, const ByteTable& stage) {
  if (!txn.state_ || txn.state_->ended()) return;  // by an error of a write, which is on its way to the caller
  WriteState& writes = stage.writes_of(txn);
  if (const IndexedTable* const table = writes.index().find(stage.name())) writes.drop(*table);
}

}  // namespace detail
}  // namespace holdfast
