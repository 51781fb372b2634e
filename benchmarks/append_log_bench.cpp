// Appending one entry to a log of a million entries against appending to an empty one, on LMDB, in one run: the ratio
// must stay below 1.3. The logs lie in stores of their own in $TMPDIR (or /tmp); each append is one commit, with the
// durability in the name. Run with --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/backend/lmdb.hpp"
#include "holdfast/codec/raw.hpp"
#include "holdfast/tier/append_log.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

constexpr std::size_t value_bytes = 100;
constexpr std::size_t fill_batch = 10'000;

using Log = AppendLogTier<std::string, RawCodec<std::string>>;

struct Store {
  Store(std::uint64_t length, Durability durability)
      : log(std::make_shared<LmdbBackend>(LmdbOptions{.path = directory.path() / "store", .durability = durability})) {
    const std::vector<std::string> batch(fill_batch, std::string(value_bytes, 'v'));
    while (log.last_sequence() < length) log.append(batch);
  }

  testing::TemporaryDirectory directory;
  Log log;
};

/// Filled once, for all repetitions.
Log& log_of_length(std::uint64_t length, Durability durability) {
  static std::map<std::pair<std::uint64_t, Durability>, Store> stores;
  return stores.try_emplace({length, durability}, length, durability).first->second.log;
}

void append_one(benchmark::State& state, Durability durability) {
  Log& log = log_of_length(static_cast<std::uint64_t>(state.range(0)), durability);
  const std::uint64_t length = log.last_sequence();
  const std::string value(value_bytes, 'v');
  for (auto step : state) log.append(value);
  const auto appended = static_cast<std::uint64_t>(state.iterations());
  if (log.last_sequence() != length + appended) state.SkipWithError("entries are missing");
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(value_bytes));
}

void BM_AppendOne_unsynced(benchmark::State& state) {
  append_one(state, Durability::unsynced);
}
void BM_AppendOne_synced(benchmark::State& state) {
  append_one(state, Durability::synced);
}

// Few iterations, so that the log that begins empty stays short, and many repetitions, interleaved: what a sync costs
// changes from second to second, by more than the ratio that is looked for.
void terms(benchmark::internal::Benchmark* bench) {
  bench->ArgName("entries")->Arg(0)->Arg(10'000)->Arg(1'000'000)->Iterations(50)->Repetitions(40)->UseRealTime();
}
BENCHMARK(BM_AppendOne_unsynced)->Apply(terms);
BENCHMARK(BM_AppendOne_synced)->Apply(terms);

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
