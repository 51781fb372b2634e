#include "db/store_writer.hpp"

#include <lmdb.h>

#include <cerrno>
#include <map>
#include <utility>

#include "core/printable.hpp"
#include "db/expiry.hpp"
#include "db/lmdb_error.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint64_t commit_bytes = std::uint64_t{32} << 20;  // bounds the memory a transaction takes
constexpr std::uint64_t smallest_map_bytes = std::uint64_t{1} << 30;
constexpr unsigned own_trees = 8;  // the library's, beside those of tables

}  // namespace

StoreWriter::StoreWriter(std::filesystem::path data) : data_(std::move(data)) {
  for (std::uint64_t map_bytes = limits::map_reserve_bytes;; map_bytes /= 2) {
    MDB_env* created = nullptr;
    require_lmdb(mdb_env_create(&created), "mdb_env_create", data_);
    lmdb_.reset(created);
    require_lmdb(mdb_env_set_maxdbs(created, limits::max_tables + own_trees), "mdb_env_set_maxdbs", data_);
    require_lmdb(mdb_env_set_mapsize(created, map_bytes), "mdb_env_set_mapsize", data_);
    // No lock file and no sync: the name is ours alone until it is published, and synced before.
    const int result = mdb_env_open(created, data_.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600);
    if (result == 0) break;
    if (result != ENOMEM || map_bytes / 2 < smallest_map_bytes) require_lmdb(result, "mdb_env_open", data_);
    lmdb_.reset();
  }
  begin();
}

StoreWriter::~StoreWriter() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

void StoreWriter::begin() {
  require_lmdb(mdb_txn_begin(lmdb_.get(), nullptr, 0, &txn_), "mdb_txn_begin", data_);
  uncommitted_bytes_ = 0;
}

void StoreWriter::commit() {
  require_lmdb(mdb_txn_commit(std::exchange(txn_, nullptr)), "mdb_txn_commit", data_);
}

void StoreWriter::begin_tree(const std::string& name) {
  expiring_id_ = 0;
  require_lmdb(mdb_dbi_open(txn_, name.c_str(), MDB_CREATE, &tree_), "mdb_dbi_open", data_);
}

void StoreWriter::begin_table(const TableRecord& record) {
  begin_tree(lmdb_name(record.tree));
  if (!record.is_expiring()) return;
  require_lmdb(mdb_dbi_open(txn_, expiry_table_name, MDB_CREATE, &expiry_), "mdb_dbi_open", data_);
  expiring_id_ = record.id;
}

void StoreWriter::append(ByteView stored_key, ByteView stored_value) {
  MDB_val key{stored_key.size(), const_cast<std::byte*>(stored_key.data())};
  MDB_val value{stored_value.size(), const_cast<std::byte*>(stored_value.data())};
  const int result = mdb_put(txn_, tree_, &key, &value, MDB_APPEND);
  if (result == MDB_KEYEXIST)
    throw CorruptionError({.where = "entries of a table",
                           .want = "keys in ascending order",
                           .got = printable(as_text(stored_key)) + " out of order"});
  require_lmdb(result, "mdb_put", data_);
  if (expiring_id_ != 0) index(stored_key, stored_value);
  uncommitted_bytes_ += stored_key.size() + stored_value.size();
  if (uncommitted_bytes_ < commit_bytes) return;
  commit();
  begin();
}

/// Not in the order of the index, which is that of time.
void StoreWriter::index(ByteView stored_key, ByteView stored_value) {
  const UnixMs deadline = dated_entry(stored_key, stored_value).deadline;
  if (deadline == never) return;
  Bytes row = index_key(expiring_id_, deadline, stored_key);
  MDB_val key{row.size(), row.data()};
  MDB_val nothing{0, nullptr};
  require_lmdb(mdb_put(txn_, expiry_, &key, &nothing, 0), "mdb_put", data_);
  uncommitted_bytes_ += row.size();
}

void StoreWriter::write_meta(const StoreId& id, const Catalogue& catalogue) {
  std::map<std::string, Bytes> records;
  for (auto& [key, value] : new_store_meta(id)) records[key] = std::move(value);
  for (auto& [key, value] : catalogue_records(catalogue)) records[key] = std::move(value);
  if (catalogue.feed_begun_after) begin_tree(feed_table_name);  // which stays empty
  begin_tree(meta_table_name);
  for (const auto& [key, value] : records) append(as_bytes(key), value);
}

void StoreWriter::finish() {
  commit();
  lmdb_.reset();
}

}  // namespace holdfast::detail
