#include "db/table_handles.hpp"

#include <lmdb.h>

#include <algorithm>

#include "db/environment.hpp"
#include "db/lmdb_error.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

LmdbHandle open_handle(const LmdbTxn& txn, std::uint64_t tree, unsigned flags) {
  LmdbHandle handle = 0;
  const auto& path = txn.environment()->path();
  const int result = mdb_dbi_open(txn.raw(), lmdb_name(tree).c_str(), flags, &handle);
  if (result == MDB_NOTFOUND)
    throw CorruptionError(
        {.where = path.string() + ", catalogue", .want = "LMDB database " + lmdb_name(tree), .got = "none"});
  if (result == MDB_DBS_FULL)
    throw LimitError({.limit = "max_tables",
                      .maximum = txn.environment()->max_tables(),
                      .actual = txn.environment()->max_tables() + 1ULL,
                      .unit = "tables",
                      .where = path.string()});
  if ((flags & MDB_CREATE) != 0) {
    txn.environment()->require_written(result, "mdb_dbi_open");
  } else {
    require_lmdb(result, "mdb_dbi_open", path);
  }
  return handle;
}

}  // namespace

std::shared_ptr<const TableIndex> TableHandles::cached() const {
  const std::lock_guard lock(mutex_);
  return cached_;
}

void TableHandles::remember(std::shared_ptr<const TableIndex> index) {
  const std::lock_guard lock(mutex_);
  if (!cached_ || cached_->catalogue().change < index->catalogue().change) cached_ = std::move(index);
}

std::shared_ptr<const TableIndex> TableHandles::index_of(const std::shared_ptr<Environment>& environment,
                                                         Catalogue catalogue) {
  open_missing(environment, catalogue);
  const std::lock_guard lock(mutex_);
  return std::make_shared<const TableIndex>(std::move(catalogue),
                                            [&](std::uint64_t tree) { return handles_.at(tree); });
}

bool TableHandles::has_all(const Catalogue& catalogue) const {
  const std::lock_guard lock(mutex_);
  return std::all_of(catalogue.tables.begin(), catalogue.tables.end(),
                     [&](const auto& table) { return handles_.contains(table.second.tree); });
}

void TableHandles::open_missing(const std::shared_ptr<Environment>& environment, const Catalogue& catalogue) {
  if (has_all(catalogue)) return;  // also while a write transaction has the turn
  turn_.acquire();
  const auto give_back = [](std::binary_semaphore* turn) { turn->release(); };
  const std::unique_ptr<std::binary_semaphore, decltype(give_back)> turn(&turn_, give_back);
  if (has_all(catalogue)) return;
  Handles opened;
  ReadBase txn(environment, environment->options());
  for (const auto& [name, record] : catalogue.tables) opened.emplace(record.tree, open_handle(txn, record.tree, 0));
  txn.commit();
  keep(opened);
}

void TableHandles::keep(const Handles& opened) {
  const std::lock_guard lock(mutex_);
  handles_.insert(opened.begin(), opened.end());
  opened_ = handles_.size();
}

LmdbHandle TableHandles::Opening::open(const WriteBase& txn, std::uint64_t tree) {
  return opened_[tree] = open_handle(txn, tree, MDB_CREATE);
}

}  // namespace holdfast::detail
