#pragma once

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "side_by_side/workload.hpp"

namespace holdfast::bench {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

[[nodiscard]] inline double seconds_since(SteadyClock::time_point began) {
  return Seconds(SteadyClock::now() - began).count();
}

/// Runs `work(thread)` in all threads at once; the time from the first begin to the last end, by the threads' own look
/// at the clock: the one that waits for them may be late. What `prepare(thread)` returns is made before the clock
/// starts and handed to `work`. The first exception passes on.
template <class Prepare, class Work>
double seconds_in_threads(unsigned thread_count, Prepare prepare, Work work) {
  std::barrier together(static_cast<std::ptrdiff_t>(thread_count) + 1);
  std::vector<std::exception_ptr> errors(thread_count);
  std::vector<SteadyClock::time_point> begins(thread_count);
  std::vector<SteadyClock::time_point> ends(thread_count);
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < thread_count; ++number) {
    threads.emplace_back([&, number] {
      bool waiting = true;
      try {
        auto own = prepare(number);
        waiting = false;
        together.arrive_and_wait();
        begins[number] = SteadyClock::now();
        work(number, own);
        ends[number] = SteadyClock::now();
      } catch (...) {
        errors[number] = std::current_exception();
        if (waiting) together.arrive_and_drop();
      }
    });
  }
  together.arrive_and_wait();
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  return Seconds(*std::max_element(ends.begin(), ends.end()) - *std::min_element(begins.begin(), begins.end())).count();
}

/// How long single calls took.
class Latencies {
 public:
  void add(SteadyClock::duration took) {
    nanoseconds_.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
  }
  void add(const Latencies& others) {
    nanoseconds_.insert(nanoseconds_.end(), others.nanoseconds_.begin(), others.nanoseconds_.end());
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return nanoseconds_.size(); }
  /// `<name>_p50` and so on, in microseconds.
  void append_to(Figures& figures, const std::string& name) {
    if (nanoseconds_.empty()) return;
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
    const auto at = [&](double share) {
      const auto last = static_cast<double>(nanoseconds_.size() - 1);
      return static_cast<double>(nanoseconds_[static_cast<std::size_t>(share * last)]) / 1e3;
    };
    figures.push_back({.name = name + "_p50", .unit = "us", .value = at(0.5)});
    figures.push_back({.name = name + "_p99", .unit = "us", .value = at(0.99)});
    figures.push_back({.name = name + "_p999", .unit = "us", .value = at(0.999)});
    figures.push_back({.name = name + "_max", .unit = "us", .value = at(1)});
  }

 private:
  std::vector<std::int64_t> nanoseconds_;
};

[[nodiscard]] inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace holdfast::bench
