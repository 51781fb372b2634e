#include "db/write_set.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "support/seed.hpp"

namespace holdfast::detail {
namespace {

using Model = std::map<std::string, std::string>;

std::optional<std::pair<std::string, std::string>> text(const std::optional<Item>& item) {
  if (!item) return std::nullopt;
  return std::pair(to_text(item->key), to_text(item->value));
}

std::optional<std::pair<std::string, std::string>> at(const Model& model, Model::const_iterator it) {
  if (it == model.end()) return std::nullopt;
  return *it;
}

std::optional<std::pair<std::string, std::string>> before(const Model& model, Model::const_iterator it) {
  if (it == model.begin()) return std::nullopt;
  return *std::prev(it);
}

TEST(MergedView, AgreesWithAMapWhileItIsWrittenUnderItsCursors) {
  std::mt19937_64 random(testing::test_seed());
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto key = [&] {
    return std::string(1 + below(2), static_cast<char>('a' + below(6))) + std::to_string(below(3));
  };
  for (int round = 0; round < 200; ++round) {
    WriteSet under;
    Model model;
    for (std::uint64_t i = below(12); i > 0; --i) {
      const std::string k = key();
      under.put(as_bytes(k), as_bytes("base"));
      model[k] = "base";
    }
    const MergedView base(nullptr, under);
    WriteSet set;
    const MergedView merged(&base, set);
    const auto cursor = merged.cursor();
    std::optional<std::string> position;  // what the cursor stands on; it may have been erased since
    for (int step = 0; step < 200; ++step) {
      const std::string k = key();
      std::optional<std::pair<std::string, std::string>> got;
      std::optional<std::pair<std::string, std::string>> want;
      bool moved = true;
      switch (below(8)) {
        case 0:
        case 1:
          set.put(as_bytes(k), as_bytes(std::to_string(step)));
          model[k] = std::to_string(step);
          moved = false;
          break;
        case 2:
          set.erase(as_bytes(k));
          model.erase(k);
          moved = false;
          break;
        case 3:
          got = text(cursor->seek(as_bytes(k)));
          want = at(model, model.lower_bound(k));
          break;
        case 4:
          if (below(4) == 0) {
            got = text(cursor->seek_before(std::nullopt));
            want = before(model, model.end());
          } else {
            got = text(cursor->seek_before(as_bytes(k)));
            want = before(model, model.lower_bound(k));
          }
          break;
        case 5:
        case 6:
          moved = position.has_value();
          if (moved) {
            got = text(cursor->next());
            want = at(model, model.upper_bound(*position));
          }
          break;
        default:
          moved = position.has_value();
          if (moved) {
            got = text(cursor->previous());
            want = before(model, model.lower_bound(*position));
          }
      }
      if (moved) {
        ASSERT_EQ(got, want) << "round " << round << ", step " << step;
        position = got ? std::optional(got->first) : std::nullopt;
      }
      const auto value = merged.get(as_bytes(k));
      ASSERT_EQ(value.has_value(), model.contains(k));
      if (value) {
        ASSERT_EQ(as_text(*value), model[k]);
      }
      ASSERT_EQ(merged.count(), model.size());
    }
  }
}

TEST(MergedView, OverNothingIsTheSet) {
  WriteSet set;
  const MergedView merged(nullptr, set);
  EXPECT_EQ(merged.count(), 0U);
  EXPECT_FALSE(merged.cursor()->seek({}));
  set.erase(as_bytes("gone"));
  set.put(as_bytes("here"), {});
  EXPECT_EQ(merged.count(), 1U);
  EXPECT_EQ(as_text(merged.cursor()->seek({})->key), "here");
}

TEST(WriteSet, AValueStaysWhereItIsWhileOtherKeysAreWritten) {
  WriteSet set;
  set.put(as_bytes("k"), as_bytes("value"));
  const MergedView merged(nullptr, set);
  const ByteView lent = *merged.get(as_bytes("k"));
  for (int i = 0; i < 1000; ++i) set.put(as_bytes(std::to_string(i)), as_bytes("x"));
  EXPECT_EQ(as_text(lent), "value");
  EXPECT_EQ(merged.get(as_bytes("k"))->data(), lent.data());
}

}  // namespace
}  // namespace holdfast::detail
