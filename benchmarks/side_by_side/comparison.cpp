#include "side_by_side/comparison.hpp"

#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "holdfast/codec/json.hpp"
#include "side_by_side/child.hpp"
#include "side_by_side/timing.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast::bench {
namespace {

/// A directory for each engine, all of them in a new one.
class Workspace {
 public:
  explicit Workspace(const std::filesystem::path& parent) : directory_(parent) {}
  [[nodiscard]] std::filesystem::path of(const std::string& engine) const {
    const auto path = directory_.path() / engine;
    std::filesystem::create_directories(path);
    return path;
  }
  void clear(const std::string& engine) const { std::filesystem::remove_all(directory_.path() / engine); }

 private:
  testing::TemporaryDirectory directory_;
};

std::vector<std::string> step_arguments(const std::string& engine, const std::string& workload, const Terms& terms) {
  return {own_path(),
          "step",
          "--engine=" + engine,
          "--workload=" + workload,
          "--directory=" + terms.directory.string(),
          "--n=" + std::to_string(terms.rows),
          "--value-bytes=" + std::to_string(terms.value_bytes),
          "--seconds=" + std::to_string(terms.duration.count()),
          "--sustained-seconds=" + std::to_string(terms.sustained.count()),
          "--operations=" + std::to_string(terms.operations)};
}

Figures step(const std::string& engine, const std::string& workload, const Terms& terms) {
  const auto result = run_child(step_arguments(engine, workload, terms));
  if (result.exit_code != 0) {
    throw std::runtime_error(engine + ", " + workload + ": exit code " + std::to_string(result.exit_code));
  }
  Figures figures;
  for (const auto& figure : parse_json(result.output)) {
    figures.push_back({.name = figure.at("figure"), .unit = figure.at("unit"), .value = figure.at("value")});
  }
  return figures;
}

Terms terms_of(const Plan& plan, const Section& section, const Workspace& workspace, const std::string& engine) {
  Terms terms = plan.terms;
  terms.rows = section.rows;
  terms.value_bytes = section.value_bytes;
  terms.directory = workspace.of(engine);
  return terms;
}

void measure_section(const Plan& plan, const Section& section, const Workspace& workspace, bool stores_are_made,
                     const std::string& progress, Results& results) {
  for (const auto& workload : section.workloads) {
    if (stores_are_made && workload == "load") continue;
    std::cerr << progress << section.title << ": " << workload << std::endl;
    for (const auto& engine : section.engines) {
      results.add(section, engine, step(engine, workload, terms_of(plan, section, workspace, engine)));
    }
  }
}

/// The calls in strace's table, the one row that counts them all.
std::uint64_t calls_in(const std::filesystem::path& table) {
  std::ifstream in(table);
  std::uint64_t calls = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    double percent = 0;
    double seconds = 0;
    std::uint64_t each = 0;
    std::uint64_t count = 0;
    if (words >> percent >> seconds >> each >> count && line.find("total") == std::string::npos) calls += count;
  }
  return calls;
}

std::uint64_t sync_calls(const std::string& engine, const Terms& terms) {
  const auto table = terms.directory / "strace.txt";
  std::vector<std::string> arguments = {
      "strace", "-f", "-c", "-o", table.string(), "-e", "trace=fsync,fdatasync,msync,sync_file_range,syncfs"};
  for (auto& argument : step_arguments(engine, "put", terms)) arguments.push_back(std::move(argument));
  if (run_child(arguments).exit_code != 0) throw std::runtime_error(engine + ": strace failed");
  return calls_in(table);
}

}  // namespace

void Results::add(const Section& section, const std::string& engine, const Figures& figures) {
  for (const auto& figure : figures) {
    const Series like{.rows = section.rows,
                      .value_bytes = section.value_bytes,
                      .engine = engine,
                      .figure = figure.name,
                      .unit = figure.unit,
                      .samples = {}};
    const Series* known = find(like);
    if (known == nullptr) known = &series_.emplace_back(like);
    series_[static_cast<std::size_t>(known - series_.data())].samples.push_back(figure.value);
  }
}

const Series* Results::find(const Series& like) const {
  for (const auto& series : series_) {
    if (series.engine == like.engine && series.figure == like.figure && series.rows == like.rows &&
        series.value_bytes == like.value_bytes) {
      return &series;
    }
  }
  return nullptr;
}

double median_quotient(const std::vector<double>& numerator, const std::vector<double>& denominator) {
  std::vector<double> quotients;
  for (std::size_t i = 0; i < std::min(numerator.size(), denominator.size()); ++i) {
    if (denominator[i] > 0) quotients.push_back(numerator[i] / denominator[i]);
  }
  return median(std::move(quotients));
}

Results measure(const Plan& plan) {
  Results results;
  const Workspace workspace(plan.directory);
  for (unsigned repetition = 0; repetition < plan.repetitions; ++repetition) {
    const auto progress = std::to_string(repetition + 1) + "/" + std::to_string(plan.repetitions) + " ";
    for (const auto& section : plan.sections) {
      const bool once = plan.stores == Plan::Stores::made_once;
      measure_section(plan, section, workspace, once && repetition > 0, progress, results);
      if (once) continue;
      for (const auto& engine : section.engines) workspace.clear(engine);
    }
  }
  return results;
}

std::map<std::string, double> syncs_per_put(const std::vector<std::string>& engines, const Plan& plan) {
  constexpr std::uint64_t few = 20;
  constexpr std::uint64_t many = 120;
  constexpr std::uint64_t rows = 1'000;
  const Section section = {.title = "", .rows = rows, .value_bytes = 100, .engines = engines, .workloads = {}};
  const Workspace workspace(plan.directory);
  std::map<std::string, double> counted;
  for (const auto& engine : engines) {
    Terms terms = terms_of(plan, section, workspace, engine);
    terms.duration = Seconds(3'600);
    step(engine, "load", terms);
    try {
      terms.operations = few;
      const auto before = sync_calls(engine, terms);
      terms.operations = many;
      const auto after = sync_calls(engine, terms);
      counted[engine] = (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(many - few);
    } catch (const std::exception& error) {
      std::cerr << "durability of " << engine << " is not verified: " << error.what() << std::endl;
    }
  }
  return counted;
}

}  // namespace holdfast::bench
