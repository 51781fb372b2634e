#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// The benchmarks of what only holdfast has: programs named `*_bench` on Google Benchmark.
namespace holdfast::bench {

/// One benchmark of one program, once per repetition, as a rate: items a second where it counts items, else calls.
struct OwnSeries {
  std::string program{};
  std::string benchmark{};
  std::vector<double> per_second{};
};

/// Those that lie beside this program's folder, sorted.
std::vector<std::filesystem::path> own_programs();

/// Runs those benchmarks of the program that match the regular expression, its repetitions interleaved. Throws when it
/// fails or a benchmark of it found a wrong answer.
std::vector<OwnSeries> run_own_program(const std::filesystem::path& program, const std::string& filter,
                                       unsigned repetitions);

}  // namespace holdfast::bench
