#include "db/table_handles.hpp"

#include <lmdb.h>

#include <algorithm>

#include "db/environment.hpp"
#include "db/lmdb_error.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// Those that a transaction on these tables may use.
std::vector<std::uint64_t> trees_of(const Catalogue& catalogue) {
  std::vector<std::uint64_t> trees;
  for (const auto& [name, record] : catalogue.tables) trees.push_back(record.tree);
  if (catalogue.has_expiring()) trees.push_back(expiry_tree);
  if (catalogue.feed_begun_after) trees.push_back(feed_tree);
  return trees;
}

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

bool TableHandles::has_all(const std::vector<std::uint64_t>& trees) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(trees, [&](std::uint64_t tree) { return handles_.contains(tree); });
}

void TableHandles::open_missing(const std::shared_ptr<Environment>& environment, const Catalogue& catalogue) {
  const std::vector<std::uint64_t> trees = trees_of(catalogue);
  if (has_all(trees)) return;  // also while a write transaction has the turn
  turn_.acquire();
  const auto give_back = [](std::binary_semaphore* turn) { turn->release(); };
  const std::unique_ptr<std::binary_semaphore, decltype(give_back)> turn(&turn_, give_back);
  if (has_all(trees)) return;
  Handles opened;
  ReadBase txn(environment, environment->options());
  for (const std::uint64_t tree : trees) opened.emplace(tree, open_handle(txn, tree, 0));
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
