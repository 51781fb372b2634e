// Reading the loaded store: points, misses, the whole of it, short ranges.
#include <random>

#include "side_by_side/rows.hpp"
#include "side_by_side/timing.hpp"
#include "side_by_side/workload.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t range_rows = 100;
constexpr std::uint64_t operations_per_look_at_the_clock = 64;

enum class Answer { present, absent };
enum class OneTransactionFor { each_read, all_reads };

/// How many calls of `step` fit into the time, or the number of operations asked for.
template <class Step>
std::uint64_t repeat(const Terms& terms, Step step) {
  const auto end = SteadyClock::now() + terms.duration;
  std::uint64_t done = 0;
  while (terms.operations == 0 || done < terms.operations) {
    step();
    if (++done % operations_per_look_at_the_clock == 0 && SteadyClock::now() >= end) break;
  }
  return done;
}

/// What each thread has of its own.
struct Reader {
  std::unique_ptr<Session> session;
  std::unique_ptr<Snapshot> snapshot;  ///< null when each read has a transaction of its own
  std::mt19937_64 random;
};

/// `read(reader, key, check)` says whether the key is there and hands its value to `check`.
template <class Read>
Figures read_points(const EngineKind& kind, const Terms& terms, const char* name, unsigned threads,
                    OneTransactionFor span, Answer answer, Read read) {
  const auto engine = kind.open(loaded_store(terms));
  std::vector<std::uint64_t> done(threads);
  const auto step = [&](Reader& reader) {
    // Rows above the last are nowhere, but their keys lie between those that are.
    const std::uint64_t number = reader.random() % terms.rows + (answer == Answer::absent ? terms.rows : 0);
    const Key key = key_of(number);
    bool right = answer == Answer::absent;
    const bool found =
        read(reader, key, [&](ByteView value) { right = is_value_of(value, number, terms.value_bytes); });
    require(right && found == (answer == Answer::present), "a point read");
  };
  const double seconds = seconds_in_threads(
      threads,
      [&](unsigned thread) {
        Reader reader{.session = engine->session(), .snapshot = nullptr, .random = std::mt19937_64(seed + thread)};
        reader.session->snapshot()->scan({}, terms.rows, [](const Row&) {});  // caches and page tables are warm
        if (span == OneTransactionFor::all_reads) reader.snapshot = reader.session->snapshot();
        for (int i = 0; i < 10'000; ++i) step(reader);
        return reader;
      },
      [&](unsigned thread, Reader& reader) { done[thread] = repeat(terms, [&] { step(reader); }); });
  double total = 0;
  for (const auto count : done) total += static_cast<double>(count);
  return {{.name = name, .unit = "reads/s", .value = total / seconds}};
}

template <unsigned threads>
Figures get(const EngineKind& kind, const Terms& terms) {
  const auto read = [](Reader& reader, const Key& key, UseValue check) { return reader.session->get(key, check); };
  return read_points(kind, terms, threads == 1 ? "get" : "get_2_threads", threads, OneTransactionFor::each_read,
                     Answer::present, read);
}

template <unsigned threads>
Figures get_copy(const EngineKind& kind, const Terms& terms) {
  const auto read = [](Reader& reader, const Key& key, UseValue check) {
    Bytes value;
    const bool found = reader.session->get_copy(key, value);
    if (found) check(value);
    return found;
  };
  return read_points(kind, terms, threads == 1 ? "get_copy" : "get_copy_2_threads", threads,
                     OneTransactionFor::each_read, Answer::present, read);
}

template <unsigned threads>
Figures get_long(const EngineKind& kind, const Terms& terms) {
  const auto read = [](Reader& reader, const Key& key, UseValue check) { return reader.snapshot->get(key, check); };
  return read_points(kind, terms, threads == 1 ? "get_long" : "get_long_2_threads", threads,
                     OneTransactionFor::all_reads, Answer::present, read);
}

Figures miss(const EngineKind& kind, const Terms& terms) {
  const auto read = [](Reader& reader, const Key& key, UseValue check) { return reader.session->get(key, check); };
  return read_points(kind, terms, "miss", 1, OneTransactionFor::each_read, Answer::absent, read);
}

Figures scan(const EngineKind& kind, const Terms& terms) {
  const auto engine = kind.open(loaded_store(terms));
  const auto session = engine->session();
  const auto once = [&] {
    std::uint64_t found = 0;
    session->snapshot()->scan({}, terms.rows + 1, [&](const Row& row) {
      require(is_value_of(row.value, number_of(row.key), terms.value_bytes), "a row of the scan");
      ++found;
    });
    require(found == terms.rows, "the number of rows scanned");
  };
  once();  // warm
  const auto end = SteadyClock::now() + terms.duration;
  const auto began = SteadyClock::now();
  std::uint64_t scans = 0;
  do {
    once();
    ++scans;
  } while (SteadyClock::now() < end);
  return {{.name = "scan", .unit = "rows/s", .value = static_cast<double>(scans * terms.rows) / seconds_since(began)}};
}

Figures ranges(const EngineKind& kind, const Terms& terms) {
  const auto engine = kind.open(loaded_store(terms));
  const auto session = engine->session();
  std::mt19937_64 random(seed);
  const auto step = [&] {
    const Key from = key_of_halves(random(), 0);
    std::uint64_t found = 0;
    bool right = true;
    session->snapshot()->scan(from, range_rows, [&](const Row& row) {
      right =
          right && as_text(row.key) >= as_text(from) && is_value_of(row.value, number_of(row.key), terms.value_bytes);
      ++found;
    });
    require(right && found <= range_rows, "a range");
    return found;
  };
  for (int i = 0; i < 100; ++i) step();
  std::uint64_t rows = 0;
  const auto began = SteadyClock::now();
  repeat(terms, [&] { rows += step(); });
  return {{.name = "range_100", .unit = "rows/s", .value = static_cast<double>(rows) / seconds_since(began)}};
}

}  // namespace

std::vector<Workload> read_workloads() {
  return {{.name = "get", .what = "get, a transaction each", .run = get<1>},
          {.name = "get_2_threads", .what = "get, a transaction each, 2 threads", .run = get<2>},
          {.name = "get_copy", .what = "get into own bytes, a transaction each", .run = get_copy<1>},
          {.name = "get_copy_2_threads", .what = "get into own bytes, 2 threads", .run = get_copy<2>},
          {.name = "get_long", .what = "get in one long transaction", .run = get_long<1>},
          {.name = "get_long_2_threads", .what = "get in a long transaction, 2 threads", .run = get_long<2>},
          {.name = "miss", .what = "get of an absent key", .run = miss},
          {.name = "scan", .what = "scan of the whole store", .run = scan},
          {.name = "range_100", .what = "ranges of 100 rows, random starts", .run = ranges}};
}

}  // namespace holdfast::bench
