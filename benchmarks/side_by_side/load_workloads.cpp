// Loading: N rows into an empty store, in random order and small transactions, and by each engine's best bulk path.
#include <algorithm>
#include <numeric>

#include "side_by_side/resources.hpp"
#include "side_by_side/rows.hpp"
#include "side_by_side/timing.hpp"
#include "side_by_side/workload.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t batch_rows = 10'000;

/// An empty store of this name, in place of what was there.
std::filesystem::path fresh_store(const std::filesystem::path& path) {
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

void require_all_rows(Engine& engine, const Terms& terms) {
  std::uint64_t found = 0;
  engine.session()->snapshot()->scan({}, terms.rows + 1, [&](const Row& row) {
    require(is_value_of(row.value, number_of(row.key), terms.value_bytes), "a row of the loaded store");
    ++found;
  });
  require(found == terms.rows, "the number of rows loaded");
}

double per_second(const Terms& terms, double seconds) {
  return static_cast<double>(terms.rows) / seconds;
}

Figures load(const EngineKind& kind, const Terms& terms) {
  const auto path = fresh_store(loaded_store(terms));
  Figures figures;
  const double user_bytes = static_cast<double>(terms.rows * (key_bytes + terms.value_bytes));
  {
    std::vector<Key> keys(batch_rows);
    std::vector<ValueWriter> values(batch_rows, ValueWriter(terms.value_bytes));
    std::vector<Row> batch;
    const MemoryWatch memory;
    const auto written_before = written_bytes();
    const auto engine = kind.open(path);
    const auto session = engine->session();
    const auto began = SteadyClock::now();
    for (std::uint64_t number = 0; number < terms.rows;) {
      batch.clear();
      for (std::size_t i = 0; i < batch_rows && number < terms.rows; ++i, ++number) {
        keys[i] = key_of(number);
        batch.push_back({.key = keys[i], .value = values[i](number)});
      }
      session->put_batch(batch);
    }
    const double took = seconds_since(began);
    figures.push_back({.name = "load", .unit = "rows/s", .value = per_second(terms, took)});
    figures.push_back(
        {.name = "load_memory", .unit = "MiB", .value = static_cast<double>(memory.peak_bytes()) / 0x1p20});
    figures.push_back({.name = "load_written",
                       .unit = "bytes/byte",
                       .value = static_cast<double>(written_bytes() - written_before) / user_bytes});
    for (const auto& [what, count] : engine->background_work()) {
      figures.push_back({.name = "load_" + what, .unit = "count", .value = static_cast<double>(count)});
    }
    require_all_rows(*engine, terms);
  }
  figures.push_back(
      {.name = "load_size", .unit = "bytes/byte", .value = static_cast<double>(occupied_bytes(path)) / user_bytes});
  return figures;
}

Figures load_by_best_path(const EngineKind& kind, const Terms& terms, Arrival arrival, const char* name) {
  const auto path = fresh_store(terms.directory / name);
  std::vector<std::uint64_t> numbers(terms.rows);
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
  if (arrival == Arrival::key_order) {
    std::sort(numbers.begin(), numbers.end(), [](auto a, auto b) { return scrambled(a) < scrambled(b); });
  }
  Figures figures;
  {
    const auto engine = kind.open(path);
    ValueWriter value(terms.value_bytes);
    Key key{};
    std::size_t next = 0;
    const auto began = SteadyClock::now();
    const auto hand_out = [&](Row& row) {
      if (next == numbers.size()) return false;
      key = key_of(numbers[next]);
      row = {.key = key, .value = value(numbers[next])};
      ++next;
      return true;
    };
    engine->bulk_load(hand_out, arrival);
    figures.push_back({.name = name, .unit = "rows/s", .value = per_second(terms, seconds_since(began))});
    require_all_rows(*engine, terms);
  }
  std::filesystem::remove_all(path);
  return figures;
}

Figures load_best(const EngineKind& kind, const Terms& terms) {
  return load_by_best_path(kind, terms, Arrival::any_order, "load_best");
}
Figures load_sorted(const EngineKind& kind, const Terms& terms) {
  return load_by_best_path(kind, terms, Arrival::key_order, "load_sorted");
}

}  // namespace

std::vector<Workload> load_workloads() {
  return {{.name = "load", .what = "load, random order, durable batches of 10,000", .run = load},
          {.name = "load_best", .what = "load, random order, best bulk path", .run = load_best},
          {.name = "load_sorted", .what = "load, key order, best bulk path", .run = load_sorted}};
}

}  // namespace holdfast::bench
