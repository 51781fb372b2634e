#include "side_by_side/own_programs.hpp"

#include <algorithm>
#include <iostream>
#include <stdexcept>

#include "holdfast/codec/json.hpp"
#include "side_by_side/child.hpp"

namespace holdfast::bench {
namespace {

double per_second(const Json& run) {
  if (run.contains("items_per_second")) return run.at("items_per_second");
  const std::string unit = run.at("time_unit");
  const double units_per_second = unit == "ns" ? 1e9 : unit == "us" ? 1e6 : unit == "ms" ? 1e3 : 1;
  return units_per_second / run.at("cpu_time").get<double>();
}

}  // namespace

std::vector<std::filesystem::path> own_programs() {
  std::vector<std::filesystem::path> programs;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(own_path()).parent_path() / "..")) {
    if (entry.is_regular_file() && entry.path().filename().string().ends_with("_bench")) {
      programs.push_back(entry.path());
    }
  }
  std::sort(programs.begin(), programs.end());
  return programs;
}

std::vector<OwnSeries> run_own_program(const std::filesystem::path& program, const std::string& filter,
                                       unsigned repetitions) {
  std::cerr << program.filename().string() << std::endl;
  const auto result = run_child({program.string(), "--benchmark_format=json", "--benchmark_filter=" + filter,
                                 "--benchmark_repetitions=" + std::to_string(repetitions), "--benchmark_min_time=0.2",
                                 "--benchmark_enable_random_interleaving=true"});
  if (result.exit_code != 0) throw std::runtime_error(program.string() + " failed");
  std::vector<OwnSeries> all;
  const Json document = Json::parse(result.output);
  for (const auto& run : document.at("benchmarks")) {
    if (run.value("error_occurred", false)) {
      throw std::runtime_error(run.at("name").get<std::string>() + ": " + run.value("error_message", ""));
    }
    if (run.at("run_type") != "iteration") continue;
    const std::string name = run.at("run_name");
    auto known = std::find_if(all.begin(), all.end(), [&](const auto& series) { return series.benchmark == name; });
    if (known == all.end()) {
      all.push_back({.program = program.filename().string(), .benchmark = name, .per_second = {}});
      known = all.end() - 1;
    }
    known->per_second.push_back(per_second(run));
  }
  return all;
}

}  // namespace holdfast::bench
