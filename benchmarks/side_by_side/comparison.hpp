#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "side_by_side/workload.hpp"

/// The same workloads on several engines, step by step in turn, so that what disturbs the machine disturbs all.
namespace holdfast::bench {

/// Which workloads on which engines, with how many rows.
struct Section {
  std::string title{};
  std::uint64_t rows = 0;
  std::size_t value_bytes = 0;
  std::vector<std::string> engines{};
  std::vector<std::string> workloads{};
};

/// One figure of one engine in one section, once per repetition.
struct Series {
  std::uint64_t rows = 0;
  std::size_t value_bytes = 0;
  std::string engine{};
  std::string figure{};
  std::string unit{};
  std::vector<double> samples{};
};

struct Plan {
  std::vector<Section> sections{};
  unsigned repetitions = 3;
  std::filesystem::path directory{};  ///< stores are made in a new directory in it, and removed
  Terms terms{};                      ///< durations and operations; rows and sizes are the sections'
  enum class Stores { made_per_repetition, made_once } stores = Stores::made_per_repetition;
};

class Results {
 public:
  void add(const Section& section, const std::string& engine, const Figures& figures);
  [[nodiscard]] const std::vector<Series>& all() const noexcept { return series_; }
  /// nullptr when there is none.
  [[nodiscard]] const Series* find(const Series& like) const;

 private:
  std::vector<Series> series_;
};

/// Median of the quotients of pairs measured in the same repetition: what both suffered cancels out.
[[nodiscard]] double median_quotient(const std::vector<double>& numerator, const std::vector<double>& denominator);

/// Measures everything, telling standard error how far it is. Throws when a workload found a wrong answer.
Results measure(const Plan& plan);

/// Sync calls that one more durable put of each engine makes, counted by strace; no entry where it cannot count.
std::map<std::string, double> syncs_per_put(const std::vector<std::string>& engines, const Plan& plan);

}  // namespace holdfast::bench
