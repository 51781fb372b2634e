// What a checksum costs: the seal alone, beside bare SHA-256 of the same bytes, and reads and writes of the memory
// backend with and without it. Ratios within one run count, not times.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/backend/memory.hpp"
#include "holdfast/backend/sealed.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/seal/checksum.hpp"

namespace holdfast {
namespace {

constexpr StoreId place_id = {std::byte{7}};
constexpr const char* key = "settings/window";

Bytes value_of(const benchmark::State& state) {
  return Bytes(static_cast<std::size_t>(state.range(0)), std::byte{'v'});
}

void count(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BM_Digest(benchmark::State& state) {
  const Bytes value = value_of(state);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(sha256(value));
  count(state);
}

void BM_Seal(benchmark::State& state) {
  const ChecksumSeal seal;
  const Bytes value = value_of(state);
  Bytes out;
  for ([[maybe_unused]] auto _ : state) {
    out.clear();
    seal.seal({.store = place_id, .table = 0, .key = as_bytes(key)}, value, out);
    benchmark::DoNotOptimize(out.data());
  }
  count(state);
}

void BM_Unseal(benchmark::State& state) {
  const ChecksumSeal seal;
  const Place place = {.store = place_id, .table = 0, .key = as_bytes(key)};
  const Bytes value = value_of(state);
  Bytes sealed;
  seal.seal(place, value, sealed);
  Bytes scratch;
  for ([[maybe_unused]] auto _ : state) {
    if (seal.open(place, sealed, scratch).size() != value.size()) state.SkipWithError("another value");
  }
  count(state);
}

std::shared_ptr<StorageBackend> plain() {
  return std::make_shared<MemoryBackend>();
}
std::shared_ptr<StorageBackend> sealed() {
  return std::make_shared<SealedBackend>(plain(), std::make_shared<ChecksumSeal>(), place_id);
}

template <std::shared_ptr<StorageBackend> (*make)()>
void BM_Write(benchmark::State& state) {
  const auto backend = make();
  const Bytes value = value_of(state);
  for ([[maybe_unused]] auto _ : state) backend->write(key, value);
  if (backend->read(key) != value) state.SkipWithError("another value");
  count(state);
}

template <std::shared_ptr<StorageBackend> (*make)()>
void BM_View(benchmark::State& state) {
  const auto backend = make();
  const Bytes value = value_of(state);
  backend->write(key, value);
  for ([[maybe_unused]] auto _ : state) {
    std::size_t size = 0;
    backend->view(key, [&](ByteView lent) { size = lent.size(); });
    if (size != value.size()) state.SkipWithError("another value");
  }
  count(state);
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("value_bytes")->Arg(100)->Arg(10'000);
}
BENCHMARK(BM_Digest)->Apply(sizes);
BENCHMARK(BM_Seal)->Apply(sizes);
BENCHMARK(BM_Unseal)->Apply(sizes);
BENCHMARK(BM_Write<plain>)->Name("BM_Write/backend:memory")->Apply(sizes);
BENCHMARK(BM_Write<sealed>)->Name("BM_Write/backend:sealed_memory")->Apply(sizes);
BENCHMARK(BM_View<plain>)->Name("BM_View/backend:memory")->Apply(sizes);
BENCHMARK(BM_View<sealed>)->Name("BM_View/backend:sealed_memory")->Apply(sizes);

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
