#include "hygiene/source_tree.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <stdexcept>

namespace holdfast::hygiene {
namespace {

constexpr std::array<std::string_view, 5> folders = {"include", "src", "tests", "benchmarks", "cmake"};
constexpr std::array<std::string_view, 6> top_files = {
    "CMakeLists.txt", "CMakePresets.json", "README.md", "CHANGELOG.md", "dev", ".ci/run"};
constexpr std::array<std::string_view, 8> text_endings = {".hpp",      ".cpp", ".txt", ".cmake",
                                                          ".cmake.in", ".md",  ".sh",  ".pc.in"};

SourceFile read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  SourceFile file{.path = path.lexically_relative(source_root()).generic_string(), .lines = {}};
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

std::vector<SourceFile> read_tree() {
  std::vector<SourceFile> files;
  for (const auto folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source_root() / folder)) {
      const auto name = entry.path().filename().string();
      const auto ends_with = [&](std::string_view ending) { return name.ends_with(ending); };
      if (entry.is_regular_file() && std::any_of(text_endings.begin(), text_endings.end(), ends_with)) {
        files.push_back(read_file(entry.path()));
      }
    }
  }
  for (const auto name : top_files) files.push_back(read_file(source_root() / name));
  return files;
}

}  // namespace

std::string SourceFile::text() const {
  std::string all;
  for (const auto& line : lines) all.append(line).append("\n");
  return all;
}

const std::filesystem::path& source_root() {
  static const std::filesystem::path root = HOLDFAST_SOURCE_DIR;
  return root;
}

const std::vector<SourceFile>& source_files() {
  static const auto files = read_tree();
  return files;
}

const SourceFile& source_file(std::string_view path) {
  const auto& files = source_files();
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.path == path; });
  if (found == files.end()) throw std::runtime_error("no such file in the tree: " + std::string(path));
  return *found;
}

std::vector<Include> includes_of(const SourceFile& file) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> found;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch match;
    if (file.lines[i].find("include") == std::string::npos || !std::regex_match(file.lines[i], match, pattern))
      continue;
    const auto form = match[1] == "<" ? Include::Form::angled : Include::Form::quoted;
    found.push_back({.form = form, .name = match[2], .line = i + 1});
  }
  return found;
}

std::string at(const SourceFile& file, std::size_t line, std::string_view what) {
  return file.path + ":" + std::to_string(line) + ": " + std::string(what);
}

}  // namespace holdfast::hygiene
