// How much memory a restore takes: this program counts what operator new hands out.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <new>
#include <string>

#include "graph_fixture.hpp"

namespace {

std::atomic<std::size_t> live_bytes = 0;
std::atomic<std::size_t> peak_bytes = 0;

void* counted(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t live = live_bytes += ::malloc_usable_size(memory);
  std::size_t peak = peak_bytes;
  while (peak < live && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
  return memory;
}

void uncounted(void* memory) noexcept {
  if (memory != nullptr) live_bytes -= ::malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  uncounted(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  uncounted(memory);
}

namespace holdfast {
namespace {

TEST(RestoreMemory, ReadingTakesLessThanTwiceTheStateThatItGives) {
  const GraphStorage storage(std::make_shared<MemoryBackend>(), "g");
  constexpr int nodes = 20'000;
  {
    StateGraph graph("g");
    const auto fill = [&](char letter) {
      graph.batch([&] {
        for (int i = 0; i < nodes; ++i) graph.set("node" + std::to_string(i), std::string(100, letter));
      });
    };
    fill('a');
    const auto saved = attach(graph, storage, testing::no_more_checkpoints);
    fill('b');
  }
  StateGraph graph("g");
  const std::size_t before = live_bytes;
  peak_bytes = before;
  ASSERT_EQ(restore(graph, storage)->replayed, static_cast<std::uint64_t>(nodes));
  const std::size_t state_bytes = live_bytes - before;
  const std::size_t first_peak = peak_bytes - before;
  ASSERT_GT(state_bytes, nodes * 100U);
  peak_bytes = live_bytes.load();
  ASSERT_TRUE(restore(graph, storage));
  const std::size_t second_peak = peak_bytes - before;
  std::cout << "state " << state_bytes << " bytes, peak " << first_peak << ", over an old state " << second_peak
            << '\n';
  EXPECT_LE(first_peak, 2 * state_bytes);
  EXPECT_LE(second_peak, 3 * state_bytes) << "the old state, the new one, and the nodes, not the values, told of it";
}

}  // namespace
}  // namespace holdfast
