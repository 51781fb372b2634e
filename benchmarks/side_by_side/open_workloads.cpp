// From nothing to the first value of the loaded store, its files in the page cache or evicted from it.
#include "side_by_side/resources.hpp"
#include "side_by_side/rows.hpp"
#include "side_by_side/timing.hpp"
#include "side_by_side/workload.hpp"

namespace holdfast::bench {
namespace {

enum class Cache { warm, evicted };

Figures open_and_get(const EngineKind& kind, const Terms& terms, Cache cache, const char* name) {
  constexpr int openings = 7;
  std::vector<double> milliseconds;
  for (int opening = 0; opening < openings; ++opening) {
    if (cache == Cache::evicted) evict_from_page_cache(loaded_store(terms));
    const std::uint64_t number = scrambled(static_cast<std::uint64_t>(opening)) % terms.rows;
    bool right = false;
    const auto began = SteadyClock::now();
    const auto engine = kind.open(loaded_store(terms));
    const bool found = engine->session()->get(
        key_of(number), [&](ByteView value) { right = is_value_of(value, number, terms.value_bytes); });
    milliseconds.push_back(seconds_since(began) * 1e3);
    require(found && right, "the first get");
  }
  return {{.name = name, .unit = "ms", .value = median(milliseconds)}};
}

Figures open_warm(const EngineKind& kind, const Terms& terms) {
  return open_and_get(kind, terms, Cache::warm, "open_warm");
}
Figures open_cold(const EngineKind& kind, const Terms& terms) {
  return open_and_get(kind, terms, Cache::evicted, "open_cold");
}

}  // namespace

std::vector<Workload> open_workloads() {
  return {{.name = "open_warm", .what = "open and first get, warm", .run = open_warm},
          {.name = "open_cold", .what = "open and first get, evicted", .run = open_cold}};
}

}  // namespace holdfast::bench
