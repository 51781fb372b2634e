#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "holdfast/codec/json.hpp"
#include "side_by_side/comparison.hpp"
#include "side_by_side/own_programs.hpp"

/// What was measured, as one JSON document, as tables and as a picture.
namespace holdfast::bench {

struct Measured {
  std::vector<std::pair<std::string, std::string>> environment{};
  std::map<std::string, double> syncs_per_put{};
  Plan plan{};
  Results results{};
  std::vector<OwnSeries> own{};
};

/// How this series compares with raw LMDB's: above 1 is better, whatever the unit; 0 where there is nothing to compare.
[[nodiscard]] double ratio_to_lmdb(const Results& results, const Series& series);

/// CPU, compiler, file system; each engine with its version, terms and the sync calls that were counted.
void print_environment(std::ostream& out, const Measured& measured);
/// A table per section: a line per figure, a column per engine: median and, in parentheses, the ratio to raw LMDB.
void print_tables(std::ostream& out, const Measured& measured);

[[nodiscard]] Json document_of(const Measured& measured);

/// Draws the first section of such a document with gnuplot. Throws when gnuplot fails.
void draw(const Json& document, const std::filesystem::path& svg);

}  // namespace holdfast::bench
