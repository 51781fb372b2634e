// What durable writes through LmdbBackend cost over LMDB itself, by one thread and by many, in one run, of engines
// holdfast and raw. The store lies in the temporary directory: let that be on a disk, a sync of memory costs nothing.
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

constexpr std::size_t key_count = 10'000;
constexpr std::size_t value_bytes = 100;
constexpr std::size_t batch_size = 100;

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
std::filesystem::path place(const char* name) {
  struct Place {
    Place() : path(std::filesystem::temp_directory_path() / "holdfast-lmdb-write-bench") {
      std::filesystem::remove_all(path);
    }
    ~Place() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
  };
  static const Place here;
  std::filesystem::create_directories(here.path / name);
  return here.path / name;
}

/// Both write the same keys and values in transactions of `count` puts.
class HoldfastWriter {
 public:
  explicit HoldfastWriter(const char* store, std::chrono::microseconds group_wait)
      : store_({.path = place(store), .group_wait = group_wait}) {
    write(0, key_count);
  }

  void write(std::uint64_t first, std::size_t count) {
    const Bytes value(value_bytes, std::byte{1});
    if (count == 1) return store_.write(key_of(first), value);
    WriteBatch batch;
    for (std::size_t i = 0; i < count; ++i) batch.put(key_of((first + i * 97) % key_count), value);
    store_.apply(batch);
  }

 private:
  LmdbBackend store_;
};

class RawWriter {
 public:
  RawWriter() {
    require(mdb_env_create(&env_) == 0, "mdb_env_create");
    require(mdb_env_set_maxdbs(env_, 4) == 0 && mdb_env_set_mapsize(env_, std::size_t{1} << 40U) == 0, "options");
    require(mdb_env_open(env_, place("raw").c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600) == 0, "mdb_env_open");
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env_, nullptr, 0, &txn) == 0, "mdb_txn_begin");
    require(mdb_dbi_open(txn, "holdfast", MDB_CREATE, &dbi_) == 0, "mdb_dbi_open");
    require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
    write(0, key_count);
  }
  ~RawWriter() { mdb_env_close(env_); }
  RawWriter(const RawWriter&) = delete;
  RawWriter& operator=(const RawWriter&) = delete;

  void write(std::uint64_t first, std::size_t count) {
    Bytes value(value_bytes, std::byte{1});
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env_, nullptr, 0, &txn) == 0, "mdb_txn_begin");
    for (std::size_t i = 0; i < count; ++i) {
      std::string key = key_of((first + i * 97) % key_count);
      MDB_val stored_key{key.size(), key.data()};
      MDB_val stored_value{value.size(), value.data()};
      require(mdb_put(txn, dbi_, &stored_key, &stored_value, 0) == 0, "mdb_put");
    }
    require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

RawWriter& raw() {
  static RawWriter writer;
  return writer;
}
HoldfastWriter& waiting() {
  static HoldfastWriter writer("waiting", LmdbOptions{}.group_wait);
  return writer;
}
HoldfastWriter& eager() {
  static HoldfastWriter writer("eager", std::chrono::microseconds(0));
  return writer;
}

template <auto engine>
void synced_writes(benchmark::State& state) {
  auto& writer = engine();
  const auto count = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(static_cast<std::uint64_t>(state.thread_index()));
  for (auto _ : state) writer.write(random() % key_count, count);
  state.SetItemsProcessed(state.iterations());
}

void terms(benchmark::internal::Benchmark* bench) {
  bench->ArgName("puts")->UseRealTime();
}

#define HOLDFAST_ENGINE(engine)                                                                                        \
  BENCHMARK(synced_writes<engine>)->Name("BM_SyncedWrite/engine:" #engine)->Apply(terms)->Arg(1)->Threads(1);          \
  BENCHMARK(synced_writes<engine>)->Name("BM_SyncedWrite/engine:" #engine)->Apply(terms)->Arg(batch_size)->Threads(1); \
  BENCHMARK(synced_writes<engine>)->Name("BM_SyncedWrite/engine:" #engine)->Apply(terms)->Arg(1)->Threads(8);          \
  BENCHMARK(synced_writes<engine>)->Name("BM_SyncedWrite/engine:" #engine)->Apply(terms)->Arg(1)->Threads(64)

HOLDFAST_ENGINE(raw);
HOLDFAST_ENGINE(eager);
HOLDFAST_ENGINE(waiting);

}  // namespace

BENCHMARK_MAIN();
