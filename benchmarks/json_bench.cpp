// Canonical text against nlohmann::json::dump() of the same value, and the strict reader against
// nlohmann::json::parse(). Both engines work on the same value in one run; the ratio is what counts, not the time.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/codec/json.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t seed = 20260101;

/// What the inventory example stores: short keys, ASCII text, integers.
Json inventory() {
  std::mt19937 random(seed);
  Json document;
  for (int i = 0; i < 1000; ++i) {
    std::string digest;
    for (int digit = 0; digit < 64; ++digit) digest.push_back("0123456789abcdef"[random() % 16]);
    document["usr/include/library_" + std::to_string(random() % 100) + "/header_" + std::to_string(i) + ".hpp"] = {
        {"size", random() % 100'000}, {"mtime", 1'700'000'000'000'000'000U + random()}, {"sha256", digest}};
  }
  return document;
}

Json one_record() {
  return inventory().begin().value();
}

/// Floating point of every magnitude.
Json measurements() {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> digits(-1, 1);
  std::uniform_int_distribution<int> exponent(-30, 30);
  Json document = Json::array();
  for (int i = 0; i < 5000; ++i) document.push_back(std::ldexp(digits(random), exponent(random)));
  return document;
}

/// Prose with line breaks, quotes and letters outside ASCII.
Json prose() {
  Json document = Json::array();
  for (int i = 0; i < 500; ++i) {
    document.push_back("Überall \"dasselbe\":\n\tein Satz, der sich nicht ändert, und eine Zahl, " + std::to_string(i) +
                       ", die es tut. 測試 👋\n");
  }
  return document;
}

/// Arrays and objects inside each other, hardly any content.
Json nested() {
  Json document = Json::array();
  for (int i = 0; i < 500; ++i) {
    Json leaf = {{"a", nullptr}, {"b", true}, {"c", Json::array({1, 2, Json::object()})}};
    for (int level = 0; level < 8; ++level) leaf = {{"k", Json::array({std::move(leaf)})}};
    document.push_back(std::move(leaf));
  }
  return document;
}

using Document = Json (*)();
using Write = std::string (*)(const Json&);
using Read = Json (*)(std::string_view);

std::string write_holdfast(const Json& value) {
  return canonical_text(value);
}
std::string write_nlohmann(const Json& value) {
  return value.dump();
}
Json read_holdfast(std::string_view text) {
  return parse_json(text);
}
Json read_nlohmann(std::string_view text) {
  return Json::parse(text);
}

void BM_CanonicalText(benchmark::State& state, Document document, Write write) {
  const Json value = document();
  const std::string text = write(value);
  if (Json::parse(text) != value) return state.SkipWithError("the text does not read back as the value");
  for (auto _ : state) benchmark::DoNotOptimize(write(value));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void BM_ParseJson(benchmark::State& state, Document document, Read read) {
  const Json value = document();
  const std::string text = canonical_text(value);
  if (read(text) != value) return state.SkipWithError("the text does not read as the value");
  for (auto _ : state) benchmark::DoNotOptimize(read(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void register_all() {
  const std::pair<const char*, Document> documents[] = {{"inventory", inventory},
                                                        {"one_record", one_record},
                                                        {"measurements", measurements},
                                                        {"prose", prose},
                                                        {"nested", nested}};
  for (const auto& [name, document] : documents) {
    const std::string terms = std::string("/document:") + name;
    benchmark::RegisterBenchmark(("BM_CanonicalText/engine:holdfast" + terms).c_str(), BM_CanonicalText, document,
                                 write_holdfast);
    benchmark::RegisterBenchmark(("BM_CanonicalText/engine:nlohmann_dump" + terms).c_str(), BM_CanonicalText, document,
                                 write_nlohmann);
    benchmark::RegisterBenchmark(("BM_ParseJson/engine:holdfast" + terms).c_str(), BM_ParseJson, document,
                                 read_holdfast);
    benchmark::RegisterBenchmark(("BM_ParseJson/engine:nlohmann_parse" + terms).c_str(), BM_ParseJson, document,
                                 read_nlohmann);
  }
}

}  // namespace
}  // namespace holdfast

int main(int argc, char** argv) {
  holdfast::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
