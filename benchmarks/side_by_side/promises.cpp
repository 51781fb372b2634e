#include "side_by_side/promises.hpp"

#include <algorithm>
#include <iomanip>
#include <map>
#include <ostream>
#include <set>
#include <sstream>

#include "side_by_side/own_programs.hpp"
#include "side_by_side/timing.hpp"

namespace holdfast::bench {
namespace {

/// A rate: a figure of an engine, or a benchmark of one of our programs.
struct Rate {
  std::string source{};
  std::string name{};
  auto operator<=>(const Rate&) const = default;
};

enum class Bound {
  at_least,  ///< the rate, as a multiple of the other
  at_most,   ///< the cost, as a multiple of the other: the quotient of the rates turned round
};

struct Promise {
  std::string name{};
  Rate rate{};
  Rate against{};  ///< without a name: the rate stands alone
  Bound bound = Bound::at_least;
  double limit = 0;
};

/// The terms that begin a benchmark's name are enough to name it.
std::vector<Promise> promises_of_programs() {
  std::vector<Promise> all;
  for (const std::string document : {"inventory", "one_record", "measurements", "prose", "nested"}) {
    all.push_back({.name = "canonical_json/" + document,
                   .rate = {"json_bench", "BM_CanonicalText/engine:holdfast/document:" + document},
                   .against = {"json_bench", "BM_CanonicalText/engine:nlohmann_dump/document:" + document},
                   .limit = 1});
  }
  all.push_back({.name = "memory_view/std_map",
                 .rate = {"memory_bench", "BM_MemoryView/engine:holdfast"},
                 .against = {"memory_bench", "BM_MemoryView/engine:std_map"},
                 .bound = Bound::at_most,
                 .limit = 1.5});
  for (const std::string durability : {"unsynced", "synced"}) {
    all.push_back({.name = "append_at_1000000/" + durability,
                   .rate = {"append_log_bench", "BM_AppendOne_" + durability + "/entries:1000000"},
                   .against = {"append_log_bench", "BM_AppendOne_" + durability + "/entries:0"},
                   .bound = Bound::at_most,
                   .limit = 1.3});
  }
  all.push_back({.name = "frames/digest_of_the_body",
                 .rate = {"wal_bench", "BM_BuildHashAndStore"},
                 .against = {"wal_bench", "BM_DigestOfTheBody"},
                 .limit = 1.0 / 3});
  all.push_back({.name = "graph_change_at_100000",
                 .rate = {"graph_bench", "BM_ChangeOneNode/nodes:100000"},
                 .against = {"graph_bench", "BM_ChangeOneNode/nodes:1000"},
                 .bound = Bound::at_most,
                 .limit = 2});
  all.push_back({.name = "restore_frames_per_second",
                 .rate = {"graph_bench", "BM_RestoreFramesFromLmdb/frames:1000000"},
                 .against = {},
                 .limit = 200'000});
  all.push_back({.name = "expiry/get",
                 .rate = {"expiry_bench", "BM_Get/table:expiring"},
                 .against = {"expiry_bench", "BM_Get/table:plain"},
                 .bound = Bound::at_most,
                 .limit = 1.15});
  all.push_back({.name = "expiry/purge_1000_of_1000000",
                 .rate = {"expiry_bench", "BM_Purge/engine:holdfast"},
                 .against = {"expiry_bench", "BM_Purge/engine:lmdb"},
                 .bound = Bound::at_most,
                 .limit = 2.5});
  return all;
}

Promise against_lmdb(const std::string& engine, const std::string& figure, const std::string& raw, double limit) {
  return {.name = engine + "/" + figure, .rate = {engine, figure}, .against = {"lmdb", raw}, .limit = limit};
}

std::vector<Promise> promises_of_engines() {
  return {against_lmdb("holdfast_backend", "get", "get", 0.85),
          against_lmdb("holdfast_backend", "get_2_threads", "get_2_threads", 0.85),
          against_lmdb("holdfast_backend", "get_copy", "get", 0.7),
          against_lmdb("holdfast_backend", "get_copy_2_threads", "get_2_threads", 0.7),
          against_lmdb("holdfast_backend", "put", "put", 0.95),
          against_lmdb("holdfast_backend", "batch_100", "batch_100", 0.9),
          against_lmdb("holdfast_backend", "put_8_threads", "put_8_threads", 3.6),
          against_lmdb("holdfast_backend_eager", "put_8_threads", "put_8_threads", 3),
          against_lmdb("holdfast_backend", "put_64_threads", "put_64_threads", 6),
          against_lmdb("holdfast", "get_copy", "get", 0.8),
          against_lmdb("holdfast", "scan", "scan", 0.75),
          against_lmdb("holdfast", "batch_100", "batch_100", 0.85),
          against_lmdb("holdfast", "load_sorted", "load_sorted", 0.85),
          {.name = "holdfast/write_async over put",
           .rate = {"holdfast", "write_async"},
           .against = {"holdfast", "put"},
           .limit = 20}};
}

using Rates = std::map<Rate, std::vector<double>>;

/// The end of a benchmark's name that only says how it was run.
std::string without_run_terms(const std::string& name) {
  return name.substr(0, std::min(name.find("/iterations:"), name.find("/real_time")));
}

void measure_programs(const std::vector<Promise>& promises, unsigned repetitions, Rates& rates) {
  std::map<std::string, std::set<std::string>> wanted;
  for (const auto& promise : promises) {
    wanted[promise.rate.source].insert(promise.rate.name);
    if (!promise.against.name.empty()) wanted[promise.against.source].insert(promise.against.name);
  }
  for (const auto& program : own_programs()) {
    const auto names = wanted.find(program.filename().string());
    if (names == wanted.end()) continue;
    std::string filter;
    for (const auto& name : names->second) filter += (filter.empty() ? "^(" : "|") + name;
    for (auto& series : run_own_program(program, filter + ")(/iterations|/real_time|$)", repetitions)) {
      rates[{series.program, without_run_terms(series.benchmark)}] = std::move(series.per_second);
    }
  }
}

void measure_engines(const std::vector<Promise>& promises, Plan plan, Rates& rates) {
  std::set<std::string> wanted = {"load"};
  for (const auto& promise : promises) wanted.insert({promise.rate.name, promise.against.name});
  Section section = {.title = "promised ratios",
                     .rows = plan.terms.rows,
                     .value_bytes = plan.terms.value_bytes,
                     .engines = {"lmdb", "holdfast_backend", "holdfast"},
                     .workloads = {}};
  for (const auto& known : workloads()) {
    if (wanted.contains(known.name)) section.workloads.push_back(known.name);
  }
  Section eager = section;
  eager.engines = {"holdfast_backend_eager"};
  eager.workloads = {"load", "put_8_threads"};
  plan.sections = {section, eager};
  plan.stores = Plan::Stores::made_once;
  const auto results = measure(plan);
  for (const auto& series : results.all()) rates[{series.engine, series.figure}] = series.samples;
}

std::string number(double value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(value < 1'000 ? 2 : 0) << value;
  return text.str();
}

/// What was measured; empty when it was not.
const std::vector<double>& samples_of(const Rate& rate, const Rates& rates) {
  static const std::vector<double> none;
  const auto found = rates.find(rate);
  return found == rates.end() ? none : found->second;
}

double measured_of(const Promise& promise, const Rates& rates) {
  const auto& rate = samples_of(promise.rate, rates);
  if (promise.against.name.empty()) return median(rate);
  const auto& against = samples_of(promise.against, rates);
  return promise.bound == Bound::at_least ? median_quotient(rate, against) : median_quotient(against, rate);
}

/// Whether it is kept. What was not measured, because a benchmark has another name now, is not.
bool print(std::ostream& out, const Promise& promise, const Rates& rates) {
  const double measured = measured_of(promise, rates);
  const bool least = promise.bound == Bound::at_least;
  const bool kept = measured > 0 && (least ? measured >= promise.limit : measured <= promise.limit);
  out << std::left << std::setw(42) << promise.name << std::right << std::setw(9)
      << (measured > 0 ? number(measured) : "missing") << (least ? "  >= " : "  <= ") << std::left << std::setw(9)
      << number(promise.limit) << (kept ? "ok" : "short") << std::endl;
  return kept;
}

}  // namespace

int check_promises(std::ostream& out, const Plan& terms) {
  const auto of_programs = promises_of_programs();
  const auto of_engines = promises_of_engines();
  Rates rates;
  measure_programs(of_programs, terms.repetitions, rates);
  measure_engines(of_engines, terms, rates);
  int short_count = 0;
  for (const auto& promises : {of_programs, of_engines}) {
    for (const auto& promise : promises) short_count += print(out, promise, rates) ? 0 : 1;
  }
  return short_count;
}

}  // namespace holdfast::bench
