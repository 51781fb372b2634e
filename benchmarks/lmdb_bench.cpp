// What LmdbBackend costs over LMDB itself: the same reads and the same commits, in one run, of engines holdfast and
// raw.
#include <benchmark/benchmark.h>
#include <lmdb.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "holdfast/backend/lmdb.hpp"

namespace {

using namespace holdfast;

constexpr std::size_t key_count = 100'000;
constexpr std::size_t value_bytes = 100;

std::string key_of(std::uint64_t number) {
  const std::string text = std::to_string(number);
  return "key/" + std::string(12 - text.size(), '0') + text;
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << " failed\n";
  std::exit(1);
}

/// One directory for the run, removed at its end.
struct Place {
  Place() : path(std::filesystem::temp_directory_path() / "holdfast-lmdb-bench") { std::filesystem::remove_all(path); }
  ~Place() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::filesystem::path place(const char* name) {
  static const Place here;
  std::filesystem::create_directories(here.path);
  return here.path / name;
}

std::shared_ptr<LmdbBackend> holdfast_store() {
  static const auto store = [] {
    auto opened = std::make_shared<LmdbBackend>(LmdbOptions{.path = place("holdfast")});
    WriteBatch batch;
    for (std::size_t i = 0; i < key_count; ++i) batch.put(key_of(i), Bytes(value_bytes, std::byte{1}));
    opened->apply(batch);
    return opened;
  }();
  return store;
}

struct Raw {
  Raw() {
    const auto path = place("raw");
    std::filesystem::create_directories(path);
    require(mdb_env_create(&env) == 0, "mdb_env_create");
    require(mdb_env_set_maxdbs(env, 4) == 0 && mdb_env_set_mapsize(env, std::size_t{1} << 40U) == 0, "options");
    require(mdb_env_open(env, path.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600) == 0, "mdb_env_open");
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env, nullptr, 0, &txn) == 0, "mdb_txn_begin");
    require(mdb_dbi_open(txn, "holdfast", MDB_CREATE, &dbi) == 0, "mdb_dbi_open");
    Bytes value(value_bytes, std::byte{1});
    for (std::size_t i = 0; i < key_count; ++i) {
      std::string key = key_of(i);
      MDB_val k{key.size(), key.data()};
      MDB_val v{value.size(), value.data()};
      require(mdb_put(txn, dbi, &k, &v, 0) == 0, "mdb_put");
    }
    require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  }
  ~Raw() { mdb_env_close(env); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  MDB_env* env = nullptr;
  MDB_dbi dbi = 0;
};

Raw& raw_store() {
  static Raw store;
  return store;
}

void point_get_holdfast(benchmark::State& state) {
  const auto store = holdfast_store();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    const std::string key = key_of(random() % key_count);
    std::size_t size = 0;
    const bool found = store->view(key, [&](ByteView value) { size = value.size(); });
    require(found && size == value_bytes, "view");
  }
  state.SetItemsProcessed(state.iterations());
}

void point_get_raw(benchmark::State& state) {
  Raw& store = raw_store();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    std::string key = key_of(random() % key_count);
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(store.env, nullptr, MDB_RDONLY, &txn) == 0, "mdb_txn_begin");
    MDB_val k{key.size(), key.data()};
    MDB_val v{};
    require(mdb_get(txn, store.dbi, &k, &v) == 0 && v.mv_size == value_bytes, "mdb_get");
    mdb_txn_abort(txn);
  }
  state.SetItemsProcessed(state.iterations());
}

void small_commit_holdfast(benchmark::State& state) {
  const auto store = holdfast_store();
  std::mt19937_64 random(1);
  const Bytes value(value_bytes, std::byte{2});
  for (auto _ : state) store->write(key_of(random() % key_count), value);
  state.SetItemsProcessed(state.iterations());
}

void small_commit_raw(benchmark::State& state) {
  Raw& store = raw_store();
  std::mt19937_64 random(1);
  Bytes value(value_bytes, std::byte{2});
  for (auto _ : state) {
    std::string key = key_of(random() % key_count);
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(store.env, nullptr, 0, &txn) == 0, "mdb_txn_begin");
    MDB_val k{key.size(), key.data()};
    MDB_val v{value.size(), value.data()};
    require(mdb_put(txn, store.dbi, &k, &v, 0) == 0, "mdb_put");
    require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(point_get_raw)->Name("BM_PointGet/engine:raw/value_bytes:100");
BENCHMARK(point_get_holdfast)->Name("BM_PointGet/engine:holdfast/value_bytes:100");
BENCHMARK(small_commit_raw)->Name("BM_SyncedWrite/engine:raw/value_bytes:100")->UseRealTime();
BENCHMARK(small_commit_holdfast)->Name("BM_SyncedWrite/engine:holdfast/value_bytes:100")->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
