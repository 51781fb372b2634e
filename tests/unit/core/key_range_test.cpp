#include "holdfast/core/key_range.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast {
namespace {

/// All keys of up to three bytes over the letters that matter at the edges.
std::vector<std::string> edge_keys() {
  const std::string letters("\x00\x01\x61\xfe\xff", 5);
  std::vector<std::string> keys = {""};
  for (std::size_t begin = 0, length = 0; length < 3; ++length) {
    const std::size_t end = keys.size();
    for (; begin < end; ++begin) {
      for (const char letter : letters) keys.push_back(keys[begin] + letter);
    }
  }
  return keys;
}

TEST(PrefixSuccessor, IsTheSmallestKeyAfterEveryKeyWithThePrefix) {
  EXPECT_EQ(prefix_successor("a"), "b");
  EXPECT_EQ(prefix_successor("g/"), "g0");
  EXPECT_EQ(prefix_successor("a\xff\xff"), "b");
  EXPECT_EQ(prefix_successor(std::string(1, '\0')), "\x01");
  EXPECT_EQ(prefix_successor("\x7f"), "\x80");
  EXPECT_EQ(prefix_successor("\xfe\xff"), "\xff");
}

TEST(PrefixSuccessor, ThereIsNoneAfterTheEmptyPrefixNorAfterAllFf) {
  EXPECT_EQ(prefix_successor(""), std::nullopt);
  EXPECT_EQ(prefix_successor("\xff"), std::nullopt);
  EXPECT_EQ(prefix_successor(std::string(511, '\xff')), std::nullopt);
}

TEST(KeyRange, WithPrefixHoldsExactlyTheKeysThatBeginWithIt) {
  const auto keys = edge_keys();
  for (const std::string& prefix : keys) {
    const KeyRange range = KeyRange::with_prefix(prefix);
    EXPECT_FALSE(range.empty());
    for (const std::string& key : keys) ASSERT_EQ(range.contains(key), key.starts_with(prefix));
  }
}

TEST(KeyRange, AfterAndBeforeCutAtAKeyAndExcludeIt) {
  const auto keys = edge_keys();
  for (const KeyRange& range : {KeyRange::all(), KeyRange::with_prefix("a"), KeyRange{.first = "a", .last = "a\xfe"},
                                KeyRange{.first = "\xff"}, KeyRange{.first = "b", .last = "a"}}) {
    for (const std::string& cut : keys) {
      const KeyRange after = range.after(cut);
      const KeyRange before = range.before(cut);
      for (const std::string& key : keys) {
        ASSERT_EQ(after.contains(key), range.contains(key) && key > cut);
        ASSERT_EQ(before.contains(key), range.contains(key) && key < cut);
      }
    }
  }
}

TEST(KeyRange, IsEmptyWhenNoKeyLiesInIt) {
  EXPECT_FALSE(KeyRange::all().empty());
  EXPECT_FALSE((KeyRange{.first = "a"}).empty());
  EXPECT_TRUE((KeyRange{.first = "a", .last = "a"}).empty());
  EXPECT_TRUE((KeyRange{.first = "b", .last = "a"}).empty());
  EXPECT_TRUE((KeyRange{.first = "", .last = ""}).empty());
  EXPECT_TRUE(KeyRange::all().before("").empty());
  EXPECT_EQ(KeyRange::with_prefix(""), KeyRange::all());
}

}  // namespace
}  // namespace holdfast
