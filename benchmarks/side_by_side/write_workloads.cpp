// Durable writes to the loaded store: overwrites of random rows, alone and in batches, from one thread and from many;
// rows appended above all others; rows erased.
#include <random>
#include <span>
#include <unordered_set>

#include "side_by_side/resources.hpp"
#include "side_by_side/rows.hpp"
#include "side_by_side/timing.hpp"
#include "side_by_side/workload.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t short_batch_rows = 100;
constexpr std::size_t long_batch_rows = 1'000;
constexpr std::size_t verified_rows = 1'000;

using Write = void (*)(Session& session, std::span<const Row> rows);

void put_one(Session& session, std::span<const Row> rows) {
  session.put(rows.front());
}
void put_together(Session& session, std::span<const Row> rows) {
  session.put_batch(rows);
}
void put_in_flight(Session& session, std::span<const Row> rows) {
  session.put_in_flight(rows);
}

/// One thread's overwrites. Threads share no row: each has every `threads`-th.
class Overwriter {
 public:
  Overwriter(Engine& engine, const Terms& terms, unsigned thread, unsigned threads, std::size_t batch_rows, Write write)
      : session_(engine.session()),
        write_(write),
        terms_(terms),
        thread_(thread),
        threads_(threads),
        random_(seed + thread),
        keys_(batch_rows),
        values_(batch_rows, ValueWriter(terms.value_bytes)),
        batch_(batch_rows) {}

  void run(Seconds duration) {
    const auto end = SteadyClock::now() + duration;
    while (SteadyClock::now() < end && (terms_.operations == 0 || calls() < terms_.operations)) {
      draw_batch();
      const auto began = SteadyClock::now();
      write_(*session_, batch_);
      latencies_.add(SteadyClock::now() - began);
    }
  }

  /// The last rows written are there, in their last version.
  void verify() {
    std::unordered_set<std::uint64_t> seen;
    ValueWriter expected(terms_.value_bytes);
    for (std::size_t at = written_.size(); at-- > 0 && seen.size() < verified_rows;) {
      const std::uint64_t number = written_[at];
      if (!seen.insert(number).second) continue;
      bool right = false;
      const auto check = [&](ByteView value) { right = equal(value, expected(number, at + 1)); };
      require(session_->get(key_of(number), check) && right, "a row that was written");
    }
  }

  [[nodiscard]] std::uint64_t calls() const noexcept { return latencies_.count(); }
  [[nodiscard]] std::uint64_t rows() const noexcept { return written_.size(); }
  [[nodiscard]] const Latencies& latencies() const noexcept { return latencies_; }

 private:
  void draw_batch() {
    const std::uint64_t own_rows = std::max<std::uint64_t>(1, terms_.rows / threads_);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const std::uint64_t number = random_() % own_rows * threads_ + thread_;
      written_.push_back(number);
      keys_[i] = key_of(number);
      batch_[i] = {.key = keys_[i], .value = values_[i](number, written_.size())};
    }
  }

  std::unique_ptr<Session> session_;
  Write write_;
  Terms terms_;
  unsigned thread_;
  unsigned threads_;
  std::mt19937_64 random_;
  std::vector<Key> keys_;
  std::vector<ValueWriter> values_;
  std::vector<Row> batch_;
  std::vector<std::uint64_t> written_;  ///< a row's version is its place here, from 1
  Latencies latencies_;
};

Figures overwrite(const EngineKind& kind, const Terms& terms, const std::string& name, unsigned threads,
                  std::size_t batch_rows, Seconds duration, Write write) {
  const auto engine = kind.open(loaded_store(terms));
  std::vector<std::unique_ptr<Overwriter>> writers(threads);
  const auto written_before = written_bytes();
  const double seconds = seconds_in_threads(
      threads,
      [&](unsigned thread) {
        writers[thread] = std::make_unique<Overwriter>(*engine, terms, thread, threads, batch_rows, write);
        return 0;
      },
      [&](unsigned thread, int) { writers[thread]->run(duration); });
  const double sent = static_cast<double>(written_bytes() - written_before);
  double rows = 0;
  Latencies latencies;
  for (const auto& writer : writers) {
    rows += static_cast<double>(writer->rows());
    latencies.add(writer->latencies());
    writer->verify();
  }
  Figures figures = {{.name = name, .unit = "rows/s", .value = rows / seconds}};
  latencies.append_to(figures, name);
  const double user_bytes = rows * static_cast<double>(key_bytes + terms.value_bytes);
  figures.push_back({.name = name + "_written", .unit = "bytes/byte", .value = sent / user_bytes});
  for (const auto& [what, count] : engine->background_work()) {
    figures.push_back({.name = name + "_" + what, .unit = "count", .value = static_cast<double>(count)});
  }
  return figures;
}

Figures put(const EngineKind& kind, const Terms& terms) {
  return overwrite(kind, terms, "put", 1, 1, terms.duration, put_one);
}
Figures put_8(const EngineKind& kind, const Terms& terms) {
  return overwrite(kind, terms, "put_8_threads", 8, 1, terms.duration, put_one);
}
Figures put_64(const EngineKind& kind, const Terms& terms) {
  return overwrite(kind, terms, "put_64_threads", 64, 1, terms.duration, put_one);
}
Figures batch_100(const EngineKind& kind, const Terms& terms) {
  return overwrite(kind, terms, "batch_100", 1, short_batch_rows, terms.duration, put_together);
}
Figures batch_100_sustained(const EngineKind& kind, const Terms& terms) {
  return overwrite(kind, terms, "batch_100_sustained", 1, short_batch_rows, terms.sustained, put_together);
}

Figures write_async(const EngineKind& kind, const Terms& terms) {
  if (!kind.open(loaded_store(terms))->session()->put_in_flight({})) return {};
  return overwrite(kind, terms, "write_async", 1, long_batch_rows, terms.duration, put_in_flight);
}

/// A tenth of the rows, in batches of 1,000; `write(session, first, count)` makes one.
template <class Write>
Figures a_tenth(Engine& engine, const Terms& terms, const char* name, Write write) {
  const auto session = engine.session();
  const std::uint64_t rows = std::max<std::uint64_t>(1, terms.rows / 10);
  const auto began = SteadyClock::now();
  for (std::uint64_t first = 0; first < rows; first += long_batch_rows) {
    write(*session, first, std::min<std::uint64_t>(long_batch_rows, rows - first));
  }
  return {{.name = name, .unit = "rows/s", .value = static_cast<double>(rows) / seconds_since(began)}};
}

Figures append(const EngineKind& kind, const Terms& terms) {
  const auto engine = kind.open(loaded_store(terms));
  std::vector<Key> keys(long_batch_rows);
  std::vector<ValueWriter> values(long_batch_rows, ValueWriter(terms.value_bytes));
  auto figures =
      a_tenth(*engine, terms, "append_1000", [&](Session& session, std::uint64_t first, std::uint64_t count) {
        std::vector<Row> batch(count);
        for (std::size_t i = 0; i < count; ++i) {
          keys[i] = appended_key_of(first + i + 1);
          batch[i] = {.key = keys[i], .value = values[i](first + i + 1)};
        }
        session.put_batch(batch);
      });
  std::uint64_t found = 0;
  engine->session()->snapshot()->scan(appended_key_of(0), terms.rows, [&](const Row& row) {
    ++found;
    require(is_value_of(row.value, found, terms.value_bytes), "an appended row");
  });
  require(found == std::max<std::uint64_t>(1, terms.rows / 10), "the number of rows appended");
  return figures;
}

Figures erase(const EngineKind& kind, const Terms& terms) {
  const auto engine = kind.open(loaded_store(terms));
  std::vector<Key> keys(long_batch_rows);
  auto figures = a_tenth(*engine, terms, "erase_1000", [&](Session& session, std::uint64_t first, std::uint64_t count) {
    std::vector<ByteView> batch(count);
    for (std::size_t i = 0; i < count; ++i) {
      keys[i] = key_of(first + i);
      batch[i] = keys[i];
    }
    session.erase_batch(batch);
  });
  const auto session = engine->session();
  const auto snapshot = session->snapshot();
  const std::uint64_t erased = std::max<std::uint64_t>(1, terms.rows / 10);
  for (std::uint64_t number = 0; number < terms.rows; number += 1 + terms.rows / verified_rows) {
    const bool found = snapshot->get(key_of(number), [](ByteView) {});
    require(found == (number >= erased), "a row after the erasing");
  }
  return figures;
}

}  // namespace

std::vector<Workload> write_workloads() {
  return {{.name = "put", .what = "durable put, 1 thread", .run = put},
          {.name = "put_8_threads", .what = "durable put, 8 threads", .run = put_8},
          {.name = "put_64_threads", .what = "durable put, 64 threads", .run = put_64},
          {.name = "write_async", .what = "durable puts of 1 thread, 1,000 in flight", .run = write_async},
          {.name = "batch_100", .what = "durable batch of 100", .run = batch_100},
          {.name = "batch_100_sustained", .what = "durable batch of 100, sustained", .run = batch_100_sustained},
          {.name = "append_1000", .what = "ascending appends, durable batches of 1,000", .run = append},
          {.name = "erase_1000", .what = "random erases, durable batches of 1,000", .run = erase}};
}

}  // namespace holdfast::bench
