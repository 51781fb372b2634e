// What a tier adds to its backend: a small record saved and loaded as canonical JSON, in memory and in an LMDB store
// (every save durable when it returns), and saves that a commit group makes durable together.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/backend/memory.hpp"
#include "holdfast/tier/commit_group.hpp"
#include "holdfast/tier/kv.hpp"
#include "holdfast/tier/snapshot.hpp"
#ifdef HOLDFAST_WITH_LMDB
#include "holdfast/backend/lmdb.hpp"
#include "support/temporary_directory.hpp"
#endif

namespace holdfast::tier_bench {

struct Record {
  std::string name{};
  std::uint64_t size_bytes = 0;
  bool operator==(const Record&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Record, name, size_bytes)

namespace {

constexpr std::uint64_t key_count = 1'000;
constexpr std::uint64_t group_saves = 100;

struct InMemory {
  std::shared_ptr<StorageBackend> backend = std::make_shared<MemoryBackend>();
};

#ifdef HOLDFAST_WITH_LMDB
struct InLmdb {
  testing::TemporaryDirectory directory;
  std::shared_ptr<StorageBackend> backend =
      std::make_shared<LmdbBackend>(LmdbOptions{.path = directory.path() / "store"});
};
#endif

std::string key_of(std::uint64_t number) {
  return "record-" + std::to_string(number % key_count);
}
Record record_of(std::uint64_t number) {
  return {.name = "a record of some forty letters, number", .size_bytes = number};
}

template <class Store>
void BM_SnapshotSave(benchmark::State& state) {
  const Store store;
  SnapshotTier<Record> tier(store.backend);
  std::uint64_t number = 0;
  for ([[maybe_unused]] auto _ : state) tier.save(record_of(++number));
  if (tier.load() != record_of(number)) state.SkipWithError("another record");
  state.SetItemsProcessed(state.iterations());
}

template <class Store>
void BM_KvSave(benchmark::State& state) {
  const Store store;
  KvTier<Record> tier(store.backend, {.prefix = "records/"});
  std::uint64_t number = 0;
  for ([[maybe_unused]] auto _ : state) {
    ++number;
    tier.save(key_of(number), record_of(number));
  }
  if (tier.load(key_of(number)) != record_of(number)) state.SkipWithError("another record");
  state.SetItemsProcessed(state.iterations());
}

template <class Store>
void BM_KvLoad(benchmark::State& state) {
  const Store store;
  CommitGroup group(store.backend);
  KvTier<Record> tier(group, {.prefix = "records/"});
  group.update([&] {
    for (std::uint64_t number = 0; number < key_count; ++number) tier.save(key_of(number), record_of(number));
  });
  std::uint64_t number = 0;
  for ([[maybe_unused]] auto _ : state) {
    ++number;
    if (tier.load(key_of(number)) != record_of(number % key_count)) state.SkipWithError("another record");
  }
  state.SetItemsProcessed(state.iterations());
}

template <class Store>
void BM_GroupSave(benchmark::State& state) {
  const Store store;
  CommitGroup group(store.backend);
  KvTier<Record> tier(group, {.prefix = "records/"});
  std::uint64_t number = 0;
  for ([[maybe_unused]] auto _ : state) {
    group.update([&] {
      for (std::uint64_t i = 0; i < group_saves; ++i) {
        ++number;
        tier.save(key_of(number), record_of(number));
      }
    });
  }
  if (tier.load(key_of(number)) != record_of(number)) state.SkipWithError("another record");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(group_saves));
}

template <class Store>
void add_all(const std::string& backend) {
  const std::string terms = "/backend:" + backend;
  benchmark::RegisterBenchmark(("BM_SnapshotSave" + terms).c_str(), BM_SnapshotSave<Store>)->UseRealTime();
  benchmark::RegisterBenchmark(("BM_KvSave" + terms).c_str(), BM_KvSave<Store>)->UseRealTime();
  benchmark::RegisterBenchmark(("BM_KvLoad" + terms).c_str(), BM_KvLoad<Store>)->UseRealTime();
  benchmark::RegisterBenchmark(("BM_GroupSave/saves:100" + terms).c_str(), BM_GroupSave<Store>)->UseRealTime();
}

}  // namespace
}  // namespace holdfast::tier_bench

int main(int argc, char** argv) {
  holdfast::tier_bench::add_all<holdfast::tier_bench::InMemory>("memory");
#ifdef HOLDFAST_WITH_LMDB
  holdfast::tier_bench::add_all<holdfast::tier_bench::InLmdb>("lmdb_synced");
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
