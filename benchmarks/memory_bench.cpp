// MemoryBackend::view against the least that could be done: std::map::find under a shared lock of std::shared_mutex.
// Both engines hold the same keys and values and are asked in the same random order, in one run; the ratio is what
// counts, not the time. Overwriting shows what
// immutable versions cost the writer.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/backend/memory.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t seed = 20260101;
constexpr std::size_t key_count = 100'000;
constexpr std::size_t value_bytes = 100;

/// Keys like those of a tier, in the order in which they are asked for.
const std::vector<std::string>& shuffled_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> made;
    for (std::size_t number = 0; number < key_count; ++number) made.push_back("entry/" + std::to_string(number));
    std::shuffle(made.begin(), made.end(), std::mt19937(seed));
    return made;
  }();
  return keys;
}

/// The first byte tells the values apart, so that a wrong answer shows.
Bytes value_of(std::string_view key) {
  Bytes value(value_bytes);
  value.front() = static_cast<std::byte>(key.back());
  return value;
}

class HoldfastEngine {
 public:
  void write(std::string_view key, ByteView value) { backend_.write(key, value); }
  template <class Use>
  bool view(std::string_view key, Use use) const {
    return backend_.view(key, use);
  }

 private:
  MemoryBackend backend_;
};

class StdMapEngine {
 public:
  void write(std::string_view key, ByteView value) {
    const std::unique_lock lock(mutex_);
    values_.insert_or_assign(std::string(key), to_bytes(value));
  }
  template <class Use>
  bool view(std::string_view key, Use use) const {
    const std::shared_lock lock(mutex_);
    const auto found = values_.find(key);
    if (found == values_.end()) return false;
    use(found->second);
    return true;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, Bytes, std::less<>> values_;
};

template <class Engine>
void view(benchmark::State& state) {
  Engine engine;
  for (const std::string& key : shuffled_keys()) engine.write(key, value_of(key));
  std::vector<std::string> asked = shuffled_keys();
  std::shuffle(asked.begin(), asked.end(), std::mt19937(seed + 1));
  std::size_t next = 0;
  std::uint64_t wrong = 0;
  for (auto _ : state) {
    const std::string& key = asked[next];
    next = next + 1 == asked.size() ? 0 : next + 1;
    std::byte first{};
    const bool found = engine.view(key, [&](ByteView value) { first = value.front(); });
    if (!found || first != static_cast<std::byte>(key.back())) ++wrong;
  }
  if (wrong != 0) state.SkipWithError("a wrong answer");
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(value_bytes));
}

template <class Engine>
void overwrite(benchmark::State& state) {
  Engine engine;
  for (const std::string& key : shuffled_keys()) engine.write(key, value_of(key));
  std::size_t next = 0;
  const Bytes value(value_bytes);
  for (auto _ : state) {
    engine.write(shuffled_keys()[next], value);
    next = next + 1 == key_count ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(value_bytes));
}

BENCHMARK(view<HoldfastEngine>)->Name("BM_MemoryView/engine:holdfast");
BENCHMARK(view<StdMapEngine>)->Name("BM_MemoryView/engine:std_map");
BENCHMARK(overwrite<HoldfastEngine>)->Name("BM_MemoryOverwrite/engine:holdfast");
BENCHMARK(overwrite<StdMapEngine>)->Name("BM_MemoryOverwrite/engine:std_map");

}  // namespace
}  // namespace holdfast

BENCHMARK_MAIN();
