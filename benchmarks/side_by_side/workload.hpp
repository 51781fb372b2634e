#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "peers/engine.hpp"

/// What is measured: each workload is one function, run in a process of its own, that checks every answer.
namespace holdfast::bench {

/// One measured number. Units that end in "/s" are better when greater, all others when smaller.
struct Figure {
  std::string name{};
  std::string unit{};
  double value = 0;
};
using Figures = std::vector<Figure>;

[[nodiscard]] inline bool greater_is_better(const std::string& unit) {
  return unit.ends_with("/s");
}

struct Terms {
  std::filesystem::path directory{};  ///< the engine's own; the loaded store is in it, save for workloads that load
  std::uint64_t rows = 1'000'000;
  std::size_t value_bytes = 100;
  std::chrono::duration<double> duration{1};    ///< of each timed workload
  std::chrono::duration<double> sustained{30};  ///< of the one that is to reach a steady state
  std::uint64_t operations = 0;                 ///< at most so many per thread; 0: as many as fit
};

struct Workload {
  std::string name{};
  std::string what{};  ///< for tables
  Figures (*run)(const EngineKind& kind, const Terms& terms) = nullptr;
};

/// In the order in which they may follow each other on one store: loads, reads, openings, writes, erases.
const std::vector<Workload>& workloads();
/// Throws std::invalid_argument for a name there is none of.
const Workload& workload(const std::string& name);

std::vector<Workload> load_workloads();
std::vector<Workload> read_workloads();
std::vector<Workload> open_workloads();
std::vector<Workload> write_workloads();

/// Where the loaded store lies.
[[nodiscard]] inline std::filesystem::path loaded_store(const Terms& terms) {
  return terms.directory / "loaded";
}

}  // namespace holdfast::bench
