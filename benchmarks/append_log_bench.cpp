// Appending one entry to a log of a million entries against appending to an empty one, on LMDB, in one run: the ratio
// must stay below 1.3. The logs lie in stores of their own in $TMPDIR (or /tmp); each append is one commit, with the
// durability in the name. `check` counts what was appended.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
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

Log log_of_length(const testing::TemporaryDirectory& directory, std::uint64_t length, Durability durability) {
  Log log(std::make_shared<LmdbBackend>(LmdbOptions{.path = directory.path() / "store", .durability = durability}));
  const std::vector<std::string> batch(fill_batch, std::string(value_bytes, 'v'));
  while (log.last_sequence() < length) log.append(batch);
  return log;
}

void append_one(benchmark::State& state, Durability durability) {
  const auto length = static_cast<std::uint64_t>(state.range(0));
  const testing::TemporaryDirectory directory;
  Log log = log_of_length(directory, length, durability);
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

// Fixed iterations: the log that begins empty must stay short, and both do the same work.
void terms(benchmark::internal::Benchmark* bench) {
  bench->ArgName("entries")->Arg(0)->Arg(10'000)->Arg(1'000'000)->UseRealTime();
}
BENCHMARK(BM_AppendOne_unsynced)->Apply(terms)->Iterations(2'000);
BENCHMARK(BM_AppendOne_synced)->Apply(terms)->Iterations(300);

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
