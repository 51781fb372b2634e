#include "side_by_side/report.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "side_by_side/timing.hpp"

namespace holdfast::bench {
namespace {

constexpr int name_width = 30;
constexpr int cell_width = 18;

/// Three digits: 1.23M, 45.6k, 0.0781.
std::string short_number(double value) {
  const char* suffix = "";
  if (value >= 1e6) {
    value /= 1e6;
    suffix = "M";
  } else if (value >= 1e4) {
    value /= 1e3;
    suffix = "k";
  }
  const int digits = value == 0 ? 0 : 2 - static_cast<int>(std::floor(std::log10(value)));
  std::ostringstream text;
  text << std::fixed << std::setprecision(std::clamp(digits, 0, 4)) << value << suffix;
  return text.str();
}

std::string with_two_digits(double value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << value;
  return text.str();
}

bool belongs(const Series& series, const Section& section) {
  return series.rows == section.rows && series.value_bytes == section.value_bytes;
}

void print_table(std::ostream& out, const Results& results, const Section& section) {
  out << "\n" << section.title << "\n" << std::left << std::setw(name_width) << "";
  for (const auto& engine : section.engines) out << std::right << std::setw(cell_width) << engine;
  out << "\n";
  std::vector<std::string> done;
  for (const auto& line : results.all()) {
    if (!belongs(line, section) || std::find(done.begin(), done.end(), line.figure) != done.end()) continue;
    done.push_back(line.figure);
    out << std::left << std::setw(name_width) << line.figure + " " + line.unit;
    for (const auto& engine : section.engines) {
      Series like = line;
      like.engine = engine;
      const auto* const series = results.find(like);
      std::string cell = "-";
      if (series != nullptr) {
        cell = short_number(median(series->samples));
        const double ratio = ratio_to_lmdb(results, *series);
        if (ratio > 0) cell += " (" + with_two_digits(ratio) + ")";
      }
      out << std::right << std::setw(cell_width) << cell;
    }
    out << "\n";
  }
}

}  // namespace

double ratio_to_lmdb(const Results& results, const Series& series) {
  if (series.unit == "count") return 0;
  Series like = series;
  like.engine = "lmdb";
  const auto* const raw = results.find(like);
  if (raw == nullptr) return 0;
  return greater_is_better(series.unit) ? median_quotient(series.samples, raw->samples)
                                        : median_quotient(raw->samples, series.samples);
}

void print_environment(std::ostream& out, const Measured& measured) {
  for (const auto& [name, text] : measured.environment) out << name << ": " << text << "\n";
  for (const auto& kind : engine_kinds()) {
    out << kind.name << " (" << kind.version << "): " << kind.terms;
    const auto counted = measured.syncs_per_put.find(kind.name);
    if (counted != measured.syncs_per_put.end()) {
      out << "; " << with_two_digits(counted->second) << " sync calls per durable put";
    }
    out << "\n";
  }
}

void print_tables(std::ostream& out, const Measured& measured) {
  for (const auto& section : measured.plan.sections) print_table(out, measured.results, section);
  if (measured.own.empty()) return;
  out << "\nonly holdfast: median rates\n";
  for (const auto& series : measured.own) {
    out << std::left << std::setw(2 * name_width + cell_width) << series.program + ":" + series.benchmark
        << short_number(median(series.per_second)) << "/s\n";
  }
}

Json document_of(const Measured& measured) {
  Json document;
  for (const auto& [name, text] : measured.environment) document["environment"][name] = text;
  document["terms"] = {{"key_bytes", 16},
                       {"repetitions", measured.plan.repetitions},
                       {"seconds", measured.plan.terms.duration.count()},
                       {"sustained_seconds", measured.plan.terms.sustained.count()}};
  for (const auto& kind : engine_kinds()) {
    Json engine = {{"name", kind.name}, {"version", kind.version}, {"terms", kind.terms}};
    const auto counted = measured.syncs_per_put.find(kind.name);
    if (counted != measured.syncs_per_put.end()) engine["sync_calls_per_durable_put"] = counted->second;
    document["engines"].push_back(std::move(engine));
  }
  document["sections"] = Json::array();
  for (const auto& section : measured.plan.sections) {
    Json series_of_section = Json::array();
    for (const auto& series : measured.results.all()) {
      if (!belongs(series, section)) continue;
      series_of_section.push_back({{"engine", series.engine},
                                   {"figure", series.figure},
                                   {"unit", series.unit},
                                   {"median", median(series.samples)},
                                   {"ratio_to_lmdb", ratio_to_lmdb(measured.results, series)},
                                   {"samples", series.samples}});
    }
    document["sections"].push_back({{"title", section.title},
                                    {"rows", section.rows},
                                    {"value_bytes", section.value_bytes},
                                    {"series", std::move(series_of_section)}});
  }
  for (const auto& series : measured.own) {
    document["only_holdfast"].push_back({{"program", series.program},
                                         {"benchmark", series.benchmark},
                                         {"median_per_second", median(series.per_second)},
                                         {"samples", series.per_second}});
  }
  return document;
}

}  // namespace holdfast::bench
