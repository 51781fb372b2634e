#include "db/table_handles.hpp"

#include <lmdb.h>

#include "db/environment.hpp"
#include "db/lmdb_error.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

LmdbHandle open_handle(const LmdbTxn& txn, std::uint64_t table_id, unsigned flags) {
  LmdbHandle handle = 0;
  const auto& path = txn.environment()->path();
  const int result = mdb_dbi_open(txn.raw(), lmdb_name(table_id).c_str(), flags, &handle);
  if (result == MDB_NOTFOUND)
    throw CorruptionError(
        {.where = path.string() + ", catalogue", .want = "LMDB database " + lmdb_name(table_id), .got = "none"});
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

LmdbHandle TableHandles::handle(std::uint64_t table_id) const {
  const std::lock_guard lock(mutex_);
  return handles_.at(table_id);  // every transaction opens what its catalogue names before it uses it
}

std::shared_ptr<const Catalogue> TableHandles::cached() const {
  const std::lock_guard lock(cache_mutex_);
  return cached_;
}

void TableHandles::remember(std::shared_ptr<const Catalogue> catalogue) {
  const std::lock_guard lock(cache_mutex_);
  if (!cached_ || cached_->change < catalogue->change) cached_ = std::move(catalogue);
}

void TableHandles::open_missing(const std::shared_ptr<Environment>& environment, const Catalogue& catalogue) {
  const std::lock_guard lock(mutex_);
  std::unordered_map<std::uint64_t, LmdbHandle> missing;
  for (const auto& [name, record] : catalogue.tables)
    if (!handles_.contains(record.id)) missing.emplace(record.id, 0);
  if (missing.empty()) return;
  ReadBase txn(environment);
  for (auto& [id, handle] : missing) handle = open_handle(txn, id, 0);
  txn.commit();
  handles_.merge(missing);
  opened_ = handles_.size();
}

void TableHandles::create(WriteBase& txn, const std::vector<std::uint64_t>& table_ids,
                          FunctionRef<void(const std::vector<LmdbHandle>&)> commit) {
  const std::lock_guard lock(mutex_);
  std::vector<LmdbHandle> created;
  for (const std::uint64_t id : table_ids) created.push_back(open_handle(txn, id, MDB_CREATE));
  commit(created);
  for (std::size_t i = 0; i < created.size(); ++i) handles_.emplace(table_ids[i], created[i]);
  opened_ = handles_.size();
}

}  // namespace holdfast::detail
