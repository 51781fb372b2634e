#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "holdfast/core/limits.hpp"
#include "hygiene/source_tree.hpp"

namespace holdfast::hygiene {
namespace {

struct CodeBlock {
  std::string language;
  std::string text;
  std::size_t line = 0;
};

std::vector<CodeBlock> code_blocks(const SourceFile& document) {
  std::vector<CodeBlock> blocks;
  bool inside = false;
  for (std::size_t i = 0; i < document.lines.size(); ++i) {
    const auto& line = document.lines[i];
    if (line.starts_with("```")) {
      if (!inside) blocks.push_back({.language = line.substr(3), .text = {}, .line = i + 1});
      inside = !inside;
    } else if (inside) {
      blocks.back().text.append(line).append("\n");
    }
  }
  return blocks;
}

/// Whether a tested file under `folder` contains the text, as whole lines.
bool stands_in(std::string_view folder, const std::string& text) {
  for (const auto& file : source_files()) {
    if (file.under(folder) && file.text().find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(Readme, ShowsOnlyCodeThatIsCompiledAndRun) {
  std::size_t programs = 0;
  for (const auto& block : code_blocks(source_file("README.md"))) {
    if (block.language != "cpp") continue;
    ++programs;
    EXPECT_TRUE(stands_in("tests/examples/", block.text)) << at(source_file("README.md"), block.line, block.text);
  }
  EXPECT_GE(programs, 1U);
}

TEST(Readme, ShowsOnlyBuildLinesThatThePackageTestsUse) {
  std::size_t lines = 0;
  for (const auto& block : code_blocks(source_file("README.md"))) {
    const bool compiles = block.language == "sh" && block.text.find("c++ ") != std::string::npos;
    if (block.language != "cmake" && !compiles) continue;
    ++lines;
    EXPECT_TRUE(stands_in("tests/package/", block.text)) << at(source_file("README.md"), block.line, block.text);
  }
  EXPECT_GE(lines, 3U);
}

TEST(Readme, NamesOnlyCommandsThatDevHas) {
  const auto dev = source_file("dev").text();
  std::size_t commands = 0;
  for (const auto& block : code_blocks(source_file("README.md"))) {
    for (auto at = block.text.find("./dev "); at != std::string::npos; at = block.text.find("./dev ", at + 1)) {
      const auto begin = at + std::string("./dev ").size();
      const auto command = block.text.substr(begin, block.text.find_first_of(" \n", begin) - begin);
      ++commands;
      EXPECT_NE(dev.find("\n  " + command + ") "), std::string::npos) << command;
    }
  }
  EXPECT_GE(commands, 2U);
}

TEST(Readme, StatesTheLimitsThatTheCodeHas) {
  const auto readme = source_file("README.md").text();
  const auto expect_row = [&](std::string_view what, std::string_view value) {
    const auto row = "| " + std::string(what) + " | " + std::string(value) + " |";
    EXPECT_NE(readme.find(row), std::string::npos) << "README.md has no row: " << row;
  };
  const auto bytes = [](auto count) { return std::to_string(count) + " bytes"; };
  expect_row("key in memory and in LMDB", bytes(limits::max_key_bytes));
  expect_row("key of a table whose entries expire", bytes(limits::max_expiring_key_bytes));
  expect_row("file name of the file backend, `.bin` included", bytes(limits::max_file_name_bytes));
  expect_row("value", bytes(limits::max_value_bytes));
  expect_row("nesting of JSON", std::to_string(limits::max_json_depth) + " levels");
  expect_row("name of a table, a tier or a log", bytes(limits::max_name_bytes));
  expect_row("tables in a store", std::to_string(limits::max_tables));
  expect_row("address space a store reserves", std::to_string(limits::map_reserve_bytes >> 40U) + " TiB");
  expect_row("readers of a store at a time", std::to_string(limits::max_readers));
}

}  // namespace
}  // namespace holdfast::hygiene
