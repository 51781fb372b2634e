#include "db/create_store.hpp"

#include <lmdb.h>

#include <memory>

#include "db/catalogue.hpp"
#include "db/environment.hpp"
#include "db/lmdb_error.hpp"

namespace holdfast::detail {

void create_data_file(const std::filesystem::path& path, const StoreId& id) {
  MDB_env* environment = nullptr;
  require_lmdb(mdb_env_create(&environment), "mdb_env_create", path);
  const LmdbEnvironment closed_at_end(environment);
  require_lmdb(mdb_env_set_maxdbs(environment, 2), "mdb_env_set_maxdbs", path);
  // No lock file: the name is ours alone until it is published.
  require_lmdb(mdb_env_open(environment, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600), "mdb_env_open", path);

  MDB_txn* txn = nullptr;
  require_lmdb(mdb_txn_begin(environment, nullptr, 0, &txn), "mdb_txn_begin", path);
  const auto abort = [](MDB_txn* open) { mdb_txn_abort(open); };
  std::unique_ptr<MDB_txn, decltype(abort)> transaction(txn, abort);
  MDB_dbi backend = 0;
  MDB_dbi meta = 0;
  require_lmdb(mdb_dbi_open(txn, backend_table_name, MDB_CREATE, &backend), "mdb_dbi_open", path);
  require_lmdb(mdb_dbi_open(txn, meta_table_name, MDB_CREATE, &meta), "mdb_dbi_open", path);
  for (const auto& [key, value] : new_store_meta(id)) {
    MDB_val stored_key{key.size(), const_cast<char*>(key.data())};
    MDB_val stored_value{value.size(), const_cast<std::byte*>(value.data())};
    require_lmdb(mdb_put(txn, meta, &stored_key, &stored_value, 0), "mdb_put", path);
  }
  require_lmdb(mdb_txn_commit(transaction.release()), "mdb_txn_commit", path);
}

}  // namespace holdfast::detail
