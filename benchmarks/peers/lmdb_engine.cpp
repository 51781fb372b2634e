// Raw LMDB: what holdfast is measured against. Its defaults: a sync per commit, read-ahead left to the kernel.
#include <lmdb.h>

#include <utility>

#include "peers/engine.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t map_bytes = std::size_t{1} << 36U;
constexpr unsigned max_readers = 256;

void check(int code, const char* what) {
  if (code != MDB_SUCCESS) fail(what, mdb_strerror(code));
}
MDB_val val(ByteView bytes) {
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}
ByteView view_of(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

class Txn {
 public:
  Txn(MDB_env* env, unsigned flags) { check(mdb_txn_begin(env, nullptr, flags, &txn_), "mdb_txn_begin"); }
  ~Txn() {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;
  [[nodiscard]] MDB_txn* get() const noexcept { return txn_; }
  void commit() { check(mdb_txn_commit(std::exchange(txn_, nullptr)), "mdb_txn_commit"); }

 private:
  MDB_txn* txn_ = nullptr;
};

bool get_in(MDB_txn* txn, MDB_dbi dbi, ByteView key, UseValue use) {
  MDB_val k = val(key);
  MDB_val v{};
  const int code = mdb_get(txn, dbi, &k, &v);
  if (code == MDB_NOTFOUND) return false;
  check(code, "mdb_get");
  use(view_of(v));
  return true;
}

class LmdbSnapshot final : public Snapshot {
 public:
  LmdbSnapshot(MDB_env* env, MDB_dbi dbi) : txn_(env, MDB_RDONLY), dbi_(dbi) {}
  bool get(ByteView key, UseValue use) override { return get_in(txn_.get(), dbi_, key, use); }
  void scan(ByteView from, std::uint64_t limit, UseRow use) override {
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn_.get(), dbi_, &cursor), "mdb_cursor_open");
    const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> closer(cursor, mdb_cursor_close);
    MDB_val k = val(from);
    MDB_val v{};
    int code = mdb_cursor_get(cursor, &k, &v, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    for (; code == MDB_SUCCESS && limit > 0; --limit) {
      use({.key = view_of(k), .value = view_of(v)});
      if (limit > 1) code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) check(code, "mdb_cursor_get");
  }

 private:
  Txn txn_;
  MDB_dbi dbi_;
};

class LmdbSession final : public Session {
 public:
  LmdbSession(MDB_env* env, MDB_dbi dbi) : env_(env), dbi_(dbi) {}
  void put(const Row& row) override { put_batch({&row, 1}); }
  void put_batch(std::span<const Row> rows) override {
    Txn txn(env_, 0);
    for (const Row& row : rows) {
      MDB_val k = val(row.key);
      MDB_val v = val(row.value);
      check(mdb_put(txn.get(), dbi_, &k, &v, 0), "mdb_put");
    }
    txn.commit();
  }
  void erase_batch(std::span<const ByteView> keys) override {
    Txn txn(env_, 0);
    for (const ByteView key : keys) {
      MDB_val k = val(key);
      check(mdb_del(txn.get(), dbi_, &k, nullptr), "mdb_del");
    }
    txn.commit();
  }
  bool get(ByteView key, UseValue use) override { return get_in(Txn(env_, MDB_RDONLY).get(), dbi_, key, use); }
  std::unique_ptr<Snapshot> snapshot() override { return std::make_unique<LmdbSnapshot>(env_, dbi_); }

 private:
  MDB_env* env_;
  MDB_dbi dbi_;
};

class LmdbEngine final : public Engine {
 public:
  explicit LmdbEngine(const std::filesystem::path& directory) {
    check(mdb_env_create(&env_), "mdb_env_create");
    check(mdb_env_set_maxdbs(env_, 4), "mdb_env_set_maxdbs");
    check(mdb_env_set_mapsize(env_, map_bytes), "mdb_env_set_mapsize");
    check(mdb_env_set_maxreaders(env_, max_readers), "mdb_env_set_maxreaders");
    check(mdb_env_open(env_, directory.c_str(), MDB_NOTLS, 0600), "mdb_env_open");
    if (!open_table(MDB_RDONLY, 0)) open_table(0, MDB_CREATE);
  }
  ~LmdbEngine() override { mdb_env_close(env_); }
  LmdbEngine(const LmdbEngine&) = delete;
  LmdbEngine& operator=(const LmdbEngine&) = delete;

  std::unique_ptr<Session> session() override { return std::make_unique<LmdbSession>(env_, dbi_); }

  void bulk_load(RowSource next, Arrival arrival) override {
    Txn txn(env_, 0);
    const auto append = [&](const Row& row) {
      MDB_val k = val(row.key);
      MDB_val v = val(row.value);
      check(mdb_put(txn.get(), dbi_, &k, &v, MDB_APPEND), "mdb_put");
    };
    if (arrival == Arrival::key_order) {
      for (Row row; next(row);) append(row);
    } else {
      const SortedRows sorted(next, arrival);
      for (const Row& row : sorted.rows()) append(row);
    }
    txn.commit();
  }

 private:
  /// False when there is no table: made once, for a commit at every opening would be charged to "open and first get".
  bool open_table(unsigned transaction_flags, unsigned table_flags) {
    Txn txn(env_, transaction_flags);
    const int code = mdb_dbi_open(txn.get(), "rows", table_flags, &dbi_);
    if (code == MDB_NOTFOUND) return false;
    check(code, "mdb_dbi_open");
    txn.commit();
    return true;
  }

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

}  // namespace

EngineKind lmdb_kind() {
  return {.name = "lmdb",
          .version = mdb_version(nullptr, nullptr, nullptr),
          .terms = "a sync and a synchronous meta page per commit; bulk load: sorted, MDB_APPEND, one transaction",
          .open = [](const std::filesystem::path& directory) -> std::unique_ptr<Engine> {
            return std::make_unique<LmdbEngine>(directory);
          }};
}

}  // namespace holdfast::bench
