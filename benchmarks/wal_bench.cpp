// Frames built, hashed and stored, beside the digest alone; and read back.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "holdfast/backend/memory.hpp"
#include "holdfast/wal/frame.hpp"
#include "holdfast/wal/verify.hpp"

namespace holdfast {
namespace {

constexpr std::size_t batch_frames = 1000;
constexpr std::size_t log_frames = 10 * batch_frames;

FrameText frame_text(const std::string& payload, std::uint64_t seq) {
  return {.path = "node::42",
          .structure = "graph.value",
          .payload = payload,
          .t_ns = 1'700'000'000'000'000'000,
          .frame_seq = seq};
}

std::string payload() {
  return R"({"kind":"node.set","path":"node::42","value":")" + std::string(100, 'v') + R"("})";
}

std::size_t body_bytes() {
  Bytes out;
  (void)append_frame(frame_text(payload(), batch_frames), Digest{}, out);
  constexpr std::size_t members_outside_the_hash = 72 + 79 + 19;
  return out.size() - members_outside_the_hash;
}

/// The floor: SHA-256 of the bytes that a frame's checksum is over.
void BM_DigestOfTheBody(benchmark::State& state) {
  const std::string body(body_bytes(), 'b');
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(sha256(as_bytes(body)));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DigestOfTheBody);

/// And of the 64 bytes that its chain is over.
void BM_DigestsOfBodyAndChain(benchmark::State& state) {
  const std::string body(body_bytes(), 'b');
  Digest chain{};
  for ([[maybe_unused]] auto _ : state) {
    const Digest checksum = sha256(as_bytes(body));
    chain = next_chain(chain, checksum);
    benchmark::DoNotOptimize(chain);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DigestsOfBodyAndChain);

void BM_BuildAndHash(benchmark::State& state) {
  const std::string text = payload();
  Bytes out;
  Digest chain{};
  std::uint64_t seq = 0;
  for ([[maybe_unused]] auto _ : state) {
    out.clear();
    chain = append_frame(frame_text(text, ++seq), chain, out).chain;
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_BuildAndHash);

/// Into a log that grows to as many flushes as lie between checkpoints; then it is dropped and a new one begun.
void BM_BuildHashAndStore(benchmark::State& state) {
  const std::string text = payload();
  std::optional<MemoryBackend> backend;
  Digest chain{};
  std::uint64_t seq = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (seq % log_frames == 0) backend.emplace();
    WriteBatch batch;
    batch.reserve(batch_frames);
    for (std::size_t i = 0; i < batch_frames; ++i) {
      Bytes out;
      chain = append_frame(frame_text(text, ++seq), chain, out).chain;
      batch.put(frame_key("g", seq), std::move(out));
    }
    backend->consume(std::move(batch));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_frames));
}
BENCHMARK(BM_BuildHashAndStore);

void BM_Verify(benchmark::State& state) {
  Bytes out;
  (void)append_frame(frame_text(payload(), 1), Digest{}, out);
  for ([[maybe_unused]] auto _ : state) {
    if (!verify_frame(as_text(out)).sound()) state.SkipWithError("a sound frame is judged unsound");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Verify);

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
