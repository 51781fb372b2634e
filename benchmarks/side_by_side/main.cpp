// side_by_side: the same workloads on holdfast and on other engines, every answer checked.
//   side_by_side run      measures, prints tables of medians and ratios to raw LMDB, writes JSON, draws
//   side_by_side ratios   measures the promised ratios: name measured promised ok|short
//   side_by_side draw     draws a JSON document again
//   side_by_side step     one workload on one engine; what the others run in processes of their own
#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>

#include "side_by_side/environment.hpp"
#include "side_by_side/promises.hpp"
#include "side_by_side/report.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::bench;

struct Arguments {
  Plan plan{};
  std::optional<unsigned> repetitions{};
  double seconds = 1;
  double sustained_seconds = 30;
  std::vector<std::string> engines{};
  std::vector<std::string> workloads{};
  std::vector<std::string> parts = {"comparison", "sizes", "growth", "own"};
  std::string commit = "unknown";
  std::filesystem::path json{};
  std::filesystem::path results{};
  std::filesystem::path svg{};
  std::string engine{};
  std::string workload{};

  void finish(unsigned default_repetitions) {
    plan.repetitions = repetitions.value_or(default_repetitions);
    plan.terms.duration = std::chrono::duration<double>(seconds);
    plan.terms.sustained = std::chrono::duration<double>(sustained_seconds);
  }
};

/// The names asked for, all when none was, in the order of `known`.
template <class Known>
std::vector<std::string> chosen(const std::vector<std::string>& asked, const Known& known) {
  std::vector<std::string> names;
  for (const auto& one : known) {
    if (asked.empty() || std::find(asked.begin(), asked.end(), one.name) != asked.end()) names.push_back(one.name);
  }
  return names;
}

std::string title(std::uint64_t rows, std::size_t value_bytes) {
  return std::to_string(rows) + " rows, keys of 16 bytes, values of " + std::to_string(value_bytes);
}

Section section(std::uint64_t rows, std::size_t value_bytes, std::vector<std::string> engines,
                std::vector<std::string> names) {
  return {.title = title(rows, value_bytes),
          .rows = rows,
          .value_bytes = value_bytes,
          .engines = std::move(engines),
          .workloads = std::move(names)};
}

std::vector<Section> sections_of(const Arguments& arguments) {
  const auto& terms = arguments.plan.terms;
  const auto engines = chosen(arguments.engines, engine_kinds());
  const auto wants = [&](const char* part) {
    return std::find(arguments.parts.begin(), arguments.parts.end(), part) != arguments.parts.end();
  };
  std::vector<Section> sections;
  if (wants("comparison")) {
    auto names = chosen(arguments.workloads, workloads());
    if (names.front() != "load") names.insert(names.begin(), "load");  // what the others work on
    sections.push_back(section(terms.rows, terms.value_bytes, engines, std::move(names)));
  }
  if (wants("sizes")) {
    // Of large values fewer rows, so that no store is larger than the main one.
    for (const std::size_t size : {16U, 1'000U, 10'000U}) {
      const auto rows = std::min(terms.rows, terms.rows * terms.value_bytes / size);
      sections.push_back(section(rows, size, engines, {"load", "get", "get_long", "scan", "range_100", "put"}));
    }
  }
  if (wants("growth")) {
    for (const std::uint64_t divisor : {100U, 10U}) {
      const auto rows = terms.rows / divisor;
      sections.push_back(
          section(rows, terms.value_bytes, {"lmdb", "holdfast"}, {"load", "get", "scan", "put", "batch_100"}));
    }
  }
  return sections;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path);
  out << text << "\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// An engine that does not sync what it acknowledged is not compared.
void require_durable(const std::map<std::string, double>& syncs_per_put) {
  for (const auto& [engine, syncs] : syncs_per_put) {
    if (syncs < 1) throw std::runtime_error(engine + " acknowledges puts that it has not synced");
  }
}

void run(Arguments& arguments) {
  auto& plan = arguments.plan;
  plan.sections = sections_of(arguments);
  Measured measured;
  measured.environment = describe_environment(plan.directory, arguments.commit);
  measured.syncs_per_put = syncs_per_put(chosen(arguments.engines, engine_kinds()), plan);
  print_environment(std::cout, measured);
  require_durable(measured.syncs_per_put);
  measured.results = measure(plan);
  if (std::find(arguments.parts.begin(), arguments.parts.end(), "own") != arguments.parts.end()) {
    for (const auto& program : own_programs()) {
      for (auto& series : run_own_program(program, ".", plan.repetitions)) measured.own.push_back(std::move(series));
    }
  }
  measured.plan = plan;
  print_tables(std::cout, measured);
  const auto document = document_of(measured);
  if (!arguments.json.empty()) write_text(arguments.json, document.dump(1));
  if (!arguments.results.empty()) {
    std::filesystem::create_directories(arguments.results);
    write_text(arguments.results / "comparison.json", document.dump(1));
    draw(document, arguments.results / "comparison.svg");
  }
}

int ratios(const Arguments& arguments) {
  Measured measured;
  measured.environment = describe_environment(arguments.plan.directory, arguments.commit);
  for (const auto& [name, text] : measured.environment) std::cout << name << ": " << text << "\n";
  return check_promises(std::cout, arguments.plan);
}

void step(const Arguments& arguments) {
  Terms terms = arguments.plan.terms;
  terms.directory = arguments.plan.directory;
  Json out = Json::array();
  for (const auto& figure : workload(arguments.workload).run(engine_kind(arguments.engine), terms)) {
    out.push_back({{"figure", figure.name}, {"unit", figure.unit}, {"value", figure.value}});
  }
  std::cout << out.dump() << std::endl;
}

void add_terms(CLI::App& command, Arguments& arguments) {
  command.add_option("--n", arguments.plan.terms.rows, "Rows of the main store")->check(CLI::Range(100, 100'000'000));
  command.add_option("--value-bytes", arguments.plan.terms.value_bytes)->check(CLI::Range(16, 100'000));
  command.add_option("--seconds", arguments.seconds, "Of each timed workload");
  command.add_option("--sustained-seconds", arguments.sustained_seconds, "Of the sustained one");
  command.add_option("--operations", arguments.plan.terms.operations, "At most so many per thread; 0: no bound");
  command.add_option("--repetitions", arguments.repetitions, "3 by default, for ratios 5");
  command.add_option("--commit", arguments.commit, "What is measured, for the record");
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{
      "The same workloads on holdfast and on other engines, every answer checked. $TMPDIR says on which disk."};
  app.require_subcommand(1);
  Arguments arguments;
  arguments.plan.directory = std::filesystem::temp_directory_path();

  auto* const run_command = app.add_subcommand("run", "Measure; print tables of medians and ratios to raw LMDB");
  add_terms(*run_command, arguments);
  run_command->add_option("--engine", arguments.engines, "Only these");
  run_command->add_option("--workload", arguments.workloads, "Only these of the comparison");
  run_command->add_option("--part", arguments.parts, "Of: comparison sizes growth own");
  run_command->add_option("--json", arguments.json, "Write everything measured to this file");
  run_command->add_option("--plot", arguments.results, "Write comparison.json and comparison.svg into this directory")
      ->expected(0, 1)
      ->default_str("benchmarks/results");

  auto* const ratios_command = app.add_subcommand("ratios", "Measure the promised ratios; fails when one is short");
  add_terms(*ratios_command, arguments);

  auto* const draw_command = app.add_subcommand("draw", "Draw the comparison of a JSON document");
  draw_command->add_option("json", arguments.json)->required()->check(CLI::ExistingFile);
  draw_command->add_option("svg", arguments.svg)->required();

  auto* const step_command = app.add_subcommand("step", "One workload on one engine, in this process");
  add_terms(*step_command, arguments);
  step_command->add_option("--directory", arguments.plan.directory, "Where its store is, or is made")->required();
  step_command->add_option("--engine", arguments.engine)->required();
  step_command->add_option("--workload", arguments.workload)->required();

  CLI11_PARSE(app, argc, argv);
  arguments.finish(*ratios_command ? 5 : 3);
  if (*run_command) run(arguments);
  if (*ratios_command) return ratios(arguments) == 0 ? 0 : 1;
  if (*draw_command) draw(Json::parse(std::ifstream(arguments.json)), arguments.svg);
  if (*step_command) step(arguments);
} catch (const std::exception& error) {
  std::cerr << "side_by_side: " << error.what() << "\n";
  return 1;
}
