// What expiry costs: a get from a table whose entries have deadlines against one from a plain table; and a purge of
// 1,000 entries that are due among 1,000,000, in one durable transaction, against raw LMDB deleting the same rows of
// data and of an index by time. The stores lie in $TMPDIR (or /tmp). `check`: what was read, and how many were purged.
#include <benchmark/benchmark.h>
#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

#include "holdfast/core/byte_order.hpp"
#include "holdfast/db/database.hpp"
#include "support/hand_clock.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t rows_to_read = 100'000;
constexpr std::uint64_t rows_to_purge_from = 1'000'000;
constexpr std::uint64_t due_at_once = 1'000;
constexpr std::uint64_t odd = 0x9E37'79B9;  // coprime to the numbers of rows: spreads deadlines over the keys
const Bytes value(100, std::byte{'v'});

auto key_of(std::uint64_t number) {
  return big_endian(number);
}
/// From 1; a thousand of them pass with each second of the clock.
std::uint64_t deadline_of(std::uint64_t number) {
  return number * odd % rows_to_purge_from + 1;
}

void BM_Get(benchmark::State& state, Expiry expiry) {
  const testing::TemporaryDirectory directory;
  const auto db = Database::open({.path = directory.path() / "store"});
  const ByteTable table = db->table("rows", {.expiry = expiry});
  db->update([&](WriteTransaction& txn) {
    for (std::uint64_t i = 0; i < rows_to_read; ++i) {
      if (expiry == Expiry::none) {
        table.put(txn, key_of(i), value);
      } else {
        table.put(txn, key_of(i), value, std::chrono::hours(24));
      }
    }
  });
  std::mt19937_64 random(7);
  std::uint64_t found = 0;
  for (auto step : state) {
    if (table.get(db->begin_read(), key_of(random() % rows_to_read))) ++found;
  }
  if (found != static_cast<std::uint64_t>(state.iterations())) state.SkipWithError("a row is missing");
  state.SetItemsProcessed(state.iterations());
}

/// A million entries, a thousand of which are due each second of a clock that stands at zero.
class OwnStore {
 public:
  OwnStore() {
    clock_->set(0);
    db_->update([&](WriteTransaction& txn) {
      for (std::uint64_t i = 0; i < rows_to_purge_from; ++i)
        table_.put(txn, key_of(i), value, std::chrono::milliseconds(deadline_of(i)));
    });
  }
  void fall_due() { clock_->pass(std::chrono::milliseconds(due_at_once)); }
  std::uint64_t purge() {
    return db_->update([&](WriteTransaction& txn) { return table_.purge_expired(txn, 2 * due_at_once); });
  }

 private:
  testing::TemporaryDirectory directory_;
  std::shared_ptr<testing::HandClock> clock_ = std::make_shared<testing::HandClock>();
  std::shared_ptr<Database> db_ = Database::open({.path = directory_.path() / "store", .clock = clock_});
  ByteTable table_ = db_->table("rows", {.expiry = Expiry::per_entry});
};

void require(int result) {
  if (result != 0) throw std::runtime_error(mdb_strerror(result));
}

/// The same rows by hand.
class RawStore {
 public:
  RawStore() {
    require(mdb_env_create(&env_));
    require(mdb_env_set_maxdbs(env_, 2));
    require(mdb_env_set_mapsize(env_, std::size_t{1} << 32U));
    require(mdb_env_open(env_, directory_.path().c_str(), 0, 0600));
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env_, nullptr, 0, &txn));
    require(mdb_dbi_open(txn, "rows", MDB_CREATE, &rows_));
    require(mdb_dbi_open(txn, "index", MDB_CREATE, &index_));
    for (std::uint64_t i = 0; i < rows_to_purge_from; ++i) {
      Bytes row = to_bytes(little_endian(deadline_of(i)));
      append(row, value);
      put(txn, rows_, to_bytes(key_of(i)), row);
      put(txn, index_, index_key(i), {});
    }
    require(mdb_txn_commit(txn));
  }
  ~RawStore() { mdb_env_close(env_); }
  RawStore(const RawStore&) = delete;
  RawStore& operator=(const RawStore&) = delete;

  void fall_due() { now_ += due_at_once; }
  std::uint64_t purge() {
    MDB_txn* txn = nullptr;
    MDB_cursor* cursor = nullptr;
    require(mdb_txn_begin(env_, nullptr, 0, &txn));
    require(mdb_cursor_open(txn, index_, &cursor));
    std::uint64_t purged = 0;
    MDB_val row{}, nothing{};
    while (mdb_cursor_get(cursor, &row, &nothing, MDB_FIRST) == 0) {
      const ByteView found(static_cast<const std::byte*>(row.mv_data), row.mv_size);
      if (from_big_endian<std::uint64_t>(found.subspan(8)) > now_) break;
      Bytes key = to_bytes(found.subspan(16));
      require(mdb_cursor_del(cursor, 0));
      MDB_val of_data{key.size(), key.data()};
      require(mdb_del(txn, rows_, &of_data, nullptr));
      ++purged;
    }
    mdb_cursor_close(cursor);
    require(mdb_txn_commit(txn));
    return purged;
  }

 private:
  static Bytes index_key(std::uint64_t number) {
    Bytes key = to_bytes(big_endian(std::uint64_t{1}));  // a table's id
    append(key, big_endian(deadline_of(number)));
    append(key, key_of(number));
    return key;
  }
  static void put(MDB_txn* txn, MDB_dbi tree, Bytes key, Bytes stored) {
    MDB_val k{key.size(), key.data()};
    MDB_val v{stored.size(), stored.data()};
    require(mdb_put(txn, tree, &k, &v, 0));
  }

  testing::TemporaryDirectory directory_;
  MDB_env* env_ = nullptr;
  MDB_dbi rows_ = 0;
  MDB_dbi index_ = 0;
  std::uint64_t now_ = 0;
};

template <class Store>
void BM_Purge(benchmark::State& state) {
  static Store store;  // for all repetitions: there is enough to purge
  for (auto step : state) {
    state.PauseTiming();
    store.fall_due();
    state.ResumeTiming();
    if (store.purge() != due_at_once) state.SkipWithError("another number is due");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(due_at_once));
}

BENCHMARK_CAPTURE(BM_Get, none, Expiry::none)->Name("BM_Get/table:plain");
BENCHMARK_CAPTURE(BM_Get, per_entry, Expiry::per_entry)->Name("BM_Get/table:expiring");
BENCHMARK(BM_Purge<OwnStore>)->Name("BM_Purge/engine:holdfast")->Iterations(30)->UseRealTime();
BENCHMARK(BM_Purge<RawStore>)->Name("BM_Purge/engine:lmdb")->Iterations(30)->UseRealTime();

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
