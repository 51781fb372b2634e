#include "backend/memory_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/seed.hpp"

namespace holdfast::memory_tree {
namespace {

using Model = std::map<std::string, Bytes>;

Bytes value_of(std::string_view text) {
  return to_bytes(text);
}

/// A run of one.
Tree with(Tree tree, std::string key, Bytes value) {
  WriteBatch::Write write{.key = std::move(key), .value = std::move(value)};
  return with(std::move(tree), Run(&write, 1));
}

Model shown_by(const Tree& tree) {
  Model shown;
  Walk walk(tree, KeyRange::all(), Direction::ascending);
  while (const Node* node = walk.next()) shown.emplace(node->key, *node->value);
  return shown;
}

/// The height, having checked balance and order in the subtree.
int checked_height(const Tree& tree) {
  if (!tree) return 0;
  const int left = checked_height(tree->left);
  const int right = checked_height(tree->right);
  EXPECT_LE(std::abs(left - right), 1);
  EXPECT_EQ(tree->height, std::max(left, right) + 1);
  EXPECT_TRUE(!tree->left || tree->left->key < tree->key);
  EXPECT_TRUE(!tree->right || tree->right->key > tree->key);
  return tree->height;
}

std::vector<std::string> keys_of(const Tree& tree, const KeyRange& range, Direction direction) {
  std::vector<std::string> keys;
  Walk walk(tree, range, direction);
  while (const Node* node = walk.next()) keys.push_back(node->key);
  EXPECT_EQ(walk.next(), nullptr);
  return keys;
}

TEST(MemoryTree, StaysBalancedAndOrderedUnderRandomChanges) {
  std::mt19937_64 random(testing::test_seed());
  Tree tree;
  Model model;
  for (int step = 0; step < 4000; ++step) {
    const std::string key = std::to_string(random() % 500);
    if (random() % 3 == 0) {
      tree = without(tree, key);
      model.erase(key);
    } else {
      const Bytes value = value_of(std::to_string(step));
      tree = with(tree, key, value);
      model[key] = value;
    }
    if (step % 100 == 0) checked_height(tree);
  }
  checked_height(tree);
  std::vector<std::string> expected;
  for (const auto& [key, value] : model) {
    expected.push_back(key);
    ASSERT_NE(find(tree, key), nullptr);
    EXPECT_EQ(*find(tree, key)->value, value);
  }
  EXPECT_EQ(keys_of(tree, KeyRange::all(), Direction::ascending), expected);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(keys_of(tree, KeyRange::all(), Direction::descending), expected);
}

TEST(MemoryTree, SortedInsertionIsLogarithmicallyDeep) {
  Tree tree;
  for (int number = 1000; number < 2000; ++number) tree = with(tree, std::to_string(number), value_of("v"));
  EXPECT_LE(checked_height(tree), 14);  // 1.44 log2(1000)
}

TEST(MemoryTree, WalkKeepsToEveryRangeInBothDirections) {
  Tree tree;
  for (const char* key : {"", "a", "b", "ba", "bb", "c"}) tree = with(tree, key, value_of(key));
  const std::vector<std::string> bounds = {"", "a", "aa", "b", "ba", "bab", "bc", "c", "d"};
  const std::vector<std::string> all = keys_of(tree, KeyRange::all(), Direction::ascending);
  for (const std::string& first : bounds) {
    for (const std::string& last : bounds) {
      const KeyRange range{.first = first, .last = last};
      std::vector<std::string> expected;
      std::copy_if(all.begin(), all.end(), std::back_inserter(expected),
                   [&](const std::string& key) { return range.contains(key); });
      EXPECT_EQ(keys_of(tree, range, Direction::ascending), expected) << first << ".." << last;
      std::reverse(expected.begin(), expected.end());
      EXPECT_EQ(keys_of(tree, range, Direction::descending), expected) << first << ".." << last;
    }
  }
}

TEST(MemoryTree, ReplacedAndErasedValuesLiveExactlyAsLongAsAVersionThatShowsThem) {
  Tree first = with(with(nullptr, "replaced", value_of("old")), "erased", value_of("old"));
  const std::weak_ptr<const Bytes> replaced = find(first, "replaced")->value;
  const std::weak_ptr<const Bytes> erased = find(first, "erased")->value;
  Tree second = without(with(first, "replaced", value_of("new")), "erased");
  EXPECT_FALSE(replaced.expired());
  EXPECT_FALSE(erased.expired());
  Tree copy_of_first = first;
  first.reset();
  EXPECT_FALSE(replaced.expired());
  copy_of_first.reset();
  EXPECT_TRUE(replaced.expired());
  EXPECT_TRUE(erased.expired());
}

TEST(MemoryTree, AVersionThatIsKeptNeverChangesWhateverTheOneGivenAwayBecomes) {
  std::mt19937_64 random(testing::test_seed());
  Tree tree;
  Model model;
  std::vector<std::pair<Tree, Model>> kept;
  for (int step = 0; step < 4000; ++step) {
    const std::string key = std::to_string(random() % 300);
    if (random() % 3 == 0) {
      tree = without(std::move(tree), key);
      model.erase(key);
    } else {
      const Bytes value = value_of(std::to_string(step));
      tree = with(std::move(tree), key, value);
      model[key] = value;
    }
    if (random() % 100 == 0) kept.emplace_back(tree, model);
  }
  kept.emplace_back(tree, model);
  for (const auto& [version, expected] : kept) {
    checked_height(version);
    EXPECT_EQ(shown_by(version), expected);
  }
}

TEST(MemoryTree, ARunLeavesTheTreeBalancedWhereverItsKeysFall) {
  std::mt19937_64 random(testing::test_seed());
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t most = 1 + random() % 400;
    Tree tree;
    Model model;
    for (int step = 0; step < 4; ++step) {
      // From everywhere, or, as in a log, from a narrow band.
      const std::uint64_t lowest = 1000 + random() % 1000;
      const std::uint64_t band = random() % 2 == 0 ? 10'000 : most;
      Model puts;
      for (std::uint64_t count = random() % most; count > 0; --count) {
        puts[std::to_string(lowest + random() % band)] = value_of(std::to_string(random()));
      }
      std::vector<WriteBatch::Write> writes;
      for (const auto& [key, value] : puts) writes.push_back({.key = key, .value = value});
      const Tree before = tree;
      const Model model_before = model;
      tree = with(tree, writes);
      for (const auto& [key, value] : puts) model[key] = value;
      checked_height(tree);
      ASSERT_EQ(shown_by(tree), model);
      ASSERT_EQ(shown_by(before), model_before);
    }
  }
}

TEST(MemoryTree, TheChangesOfABatchMakeANodeAnewOnlyOnce) {
  const Tree published = with(with(nullptr, "a", value_of("1")), "b", value_of("1"));
  Tree next = with(published, "a", value_of("2"));
  EXPECT_NE(next, published);
  const Node* root = next.get();
  next = with(std::move(next), "b", value_of("2"));
  EXPECT_EQ(next.get(), root);
  EXPECT_EQ(*find(published, "b")->value, to_bytes("1"));
}

TEST(MemoryTree, ErasingAnAbsentKeyIsTheSameVersion) {
  const Tree tree = with(nullptr, "present", value_of("v"));
  EXPECT_EQ(without(tree, "absent"), tree);
}

}  // namespace
}  // namespace holdfast::memory_tree
