// One change of a small and of a large graph; a million frames restored.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/backend/memory.hpp"
#include "holdfast/graph/attach.hpp"
#include "holdfast/graph/restore.hpp"
#include "holdfast/graph/state_graph.hpp"
#ifdef HOLDFAST_WITH_LMDB
#include "holdfast/backend/lmdb.hpp"
#include "support/temporary_directory.hpp"
#endif

namespace holdfast {
namespace {

const AttachOptions frames_only = {.checkpoint_every = 1'000'000'000};

void BM_ChangeOneNode(benchmark::State& state) {
  StateGraph graph("g");
  graph.batch([&] {
    for (std::int64_t i = 0; i < state.range(0); ++i) graph.set("node" + std::to_string(i), i);
  });
  const auto saved = attach(graph, GraphStorage(std::make_shared<MemoryBackend>(), "g"), frames_only);
  std::int64_t value = 0;
  for ([[maybe_unused]] auto _ : state) graph.set("node7", ++value);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ChangeOneNode)->ArgName("nodes")->Arg(1'000)->Arg(100'000)->Iterations(20'000);

#ifdef HOLDFAST_WITH_LMDB
void BM_RestoreFramesFromLmdb(benchmark::State& state) {
  const testing::TemporaryDirectory directory;
  const auto frames = static_cast<std::uint64_t>(state.range(0));
  {
    const GraphStorage storage(std::make_shared<LmdbBackend>(
                                   LmdbOptions{.path = directory.path() / "store", .durability = Durability::unsynced}),
                               "g");
    StateGraph graph("g");
    const auto saved = attach(graph, storage, frames_only);
    constexpr std::uint64_t nodes = 1000;
    for (std::uint64_t written = 0; written < frames; written += nodes) {
      graph.batch([&] {
        for (std::uint64_t i = 0; i < nodes; ++i) graph.set("node" + std::to_string(i), written + i);
      });
    }
    for ([[maybe_unused]] auto _ : state) {
      StateGraph copy("g");
      const auto result = restore(copy, storage);
      if (!result || result->replayed != frames || copy.snapshot() != graph.snapshot()) {
        state.SkipWithError("the restored graph differs");
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames));
}
BENCHMARK(BM_RestoreFramesFromLmdb)->ArgName("frames")->Arg(1'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);
#endif

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
