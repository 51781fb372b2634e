#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "hygiene/source_tree.hpp"

namespace holdfast::hygiene {
namespace {

TEST(Files, AreShortOrSayWhyNot) {
  constexpr std::size_t most_lines = 400;
  constexpr std::size_t head_lines = 12;
  for (const auto& file : source_files()) {
    if (file.lines.size() <= most_lines) continue;
    bool explained = false;
    for (std::size_t i = 0; i < head_lines; ++i) {
      explained = explained || file.lines[i].find("Long because") != std::string::npos;
    }
    EXPECT_TRUE(explained) << file.path << " has " << file.lines.size() << " lines and no \"Long because\" at its head";
  }
}

TEST(Files, LeaveNothingUnfinished) {
  // Written in halves, so that this file may be searched too.
  const std::vector<std::string> forbidden = {std::string("TO") + "DO",
                                              std::string("FIX") + "ME",
                                              std::string("X") + "XX:",
                                              std::string("/ X") + "XX",
                                              std::string("GTEST_") + "SKIP",
                                              std::string("DIS") + "ABLED_",
                                              std::string("/wo") + "rk/",
                                              std::string("../sha") + "red",
                                              std::string("file(GL") + "OB",
                                              std::string("std::for") + "mat(",
                                              std::string("#include <ex") + "pected>",
                                              std::string("source_") + "location"};
  for (const auto& file : source_files()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      for (const auto& word : forbidden) {
        EXPECT_EQ(file.lines[i].find(word), std::string::npos) << at(file, i + 1, word);
      }
    }
  }
}

TEST(Files, SayWhatTheyAreInTheirName) {
  static const std::regex vague(R"((^|.*[/_])(utils?|helpers?|common|managers?|misc)(_[a-z_]*)?\.(hpp|cpp))");
  for (const auto& file : source_files()) {
    EXPECT_FALSE(std::regex_match(file.path, vague)) << file.path;
  }
}

TEST(Files, HaveNoTrailingSpaceAndNoTabs) {
  for (const auto& file : source_files()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto& line = file.lines[i];
      EXPECT_FALSE(line.ends_with(' ') || line.ends_with('\r') || line.find('\t') != std::string::npos)
          << at(file, i + 1, "white space");
    }
  }
}

TEST(Headers, AreGuarded) {
  for (const auto& file : source_files()) {
    if (file.named(".hpp")) {
      EXPECT_NE(file.text().find("#pragma once\n"), std::string::npos) << file.path;
    }
  }
}

TEST(Headers, ArePublicOnlyWhenListed) {
  static const std::regex entry(R"(^\s+(holdfast/[a-z0-9_/]+\.hpp)\)?$)");
  std::set<std::string> listed;
  for (const auto& line : source_file("include/CMakeLists.txt").lines) {
    std::smatch match;
    if (std::regex_match(line, match, entry)) listed.insert(match[1]);
  }
  std::set<std::string> present;
  for (const auto& file : source_files()) {
    if (file.under("include/") && file.named(".hpp")) present.insert(file.path.substr(std::string("include/").size()));
  }
  EXPECT_EQ(listed, present) << "include/CMakeLists.txt is the list of what is installed";
}

TEST(Headers, ThatTheUmbrellaPromisesAreAllOfThem) {
  std::set<std::string> included;
  for (const auto& include : includes_of(source_file("include/holdfast/holdfast.hpp"))) included.insert(include.name);
  for (const auto& file : source_files()) {
    const bool promised = file.under("include/holdfast/") && file.named(".hpp") &&
                          file.path.find("/detail/") == std::string::npos && !file.under("include/holdfast/testing/") &&
                          !file.named("/holdfast.hpp");
    if (!promised) continue;
    EXPECT_TRUE(included.contains(file.path.substr(std::string("include/").size()))) << file.path;
  }
}

TEST(Classes, HaveANameOfTheirOwn) {
  // Two of one name in one namespace link without a word, and run each other's code.
  static const std::regex opened(R"(namespace ([a-z_:]+) \{)");
  static const std::regex defined(R"((class|struct)( HOLDFAST_API)? (\w+)( final)?( : .*)? \{.*)");
  std::map<std::string, std::string> places;
  for (const auto& file : source_files()) {
    if (!file.is_code() || !(file.under("src/") || file.under("include/"))) continue;
    std::string space;
    bool unnamed = false;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      std::smatch match;
      if (std::regex_match(line, match, opened)) space = match[1];
      if (line == "namespace {") unnamed = true;
      if (line == "}  // namespace") unnamed = false;
      if (unnamed || !std::regex_match(line, match, defined)) continue;
      const auto [first, fresh] = places.try_emplace(space + "::" + match[3].str(), file.path);
      EXPECT_TRUE(fresh) << at(file, i + 1, first->first) << " is also defined in " << first->second;
    }
  }
  EXPECT_GT(places.size(), 100U);
}

TEST(SystemCalls, OnFilesGoThroughTheSeam) {
  static const std::regex call(
      R"(.*(filesystem|fs)::(exists|status|symlink_status|create_director\w*|remove\w*|rename|copy\w*|resize_file|file_size|is_[a-z_]+|\w*directory_iterator|canonical|weakly_canonical|temp_directory_path|current_path|absolute|last_write_time|permissions|space|equivalent)\b.*)");
  for (const auto& file : source_files()) {
    if (!file.is_code() || !(file.under("src/") || file.under("include/")) || file.path == "src/core/file_ops.cpp") {
      continue;
    }
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const bool mentions = file.lines[i].find("filesystem::") != std::string::npos;
      EXPECT_FALSE(mentions && std::regex_match(file.lines[i], call)) << at(file, i + 1, file.lines[i]);
    }
  }
}

}  // namespace
}  // namespace holdfast::hygiene
