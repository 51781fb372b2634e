#include "holdfast/core/write_batch.hpp"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(WriteBatch, KeepsPutsErasesAndPreconditionsInTheirOrder) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.put("a", as_bytes("1")).erase("a").put("a", to_bytes("2")).require_absent("b").require_value("c", as_bytes(""));
  EXPECT_EQ(batch.writes(),
            (std::vector<WriteBatch::Write>{{"a", to_bytes("1")}, {"a", std::nullopt}, {"a", to_bytes("2")}}));
  EXPECT_EQ(batch.preconditions(), (std::vector<WriteBatch::Precondition>{{"b", std::nullopt}, {"c", Bytes()}}));
  EXPECT_FALSE(batch.empty());
}

TEST(WriteBatch, OwnsWhatItWasGiven) {
  std::string key = "key";
  std::string value = "value";
  WriteBatch batch;
  batch.put(key, as_bytes(value));
  key = value = "gone!";
  EXPECT_EQ(batch.writes().front(), (WriteBatch::Write{"key", to_bytes("value")}));
}

TEST(WriteBatch, AppendPutsTheTailAfterTheHead) {
  WriteBatch head;
  head.put("a", as_bytes("1")).require_absent("a");
  WriteBatch tail;
  tail.erase("a").require_absent("z");
  head.append(tail).append({});
  EXPECT_EQ(head.writes(), (std::vector<WriteBatch::Write>{{"a", to_bytes("1")}, {"a", std::nullopt}}));
  EXPECT_EQ(head.preconditions(), (std::vector<WriteBatch::Precondition>{{"a", std::nullopt}, {"z", std::nullopt}}));
  EXPECT_EQ(tail.writes().size(), 1U);
}

TEST(WriteBatch, ABatchOfPreconditionsAloneIsNotEmpty) {
  EXPECT_FALSE(WriteBatch().require_absent("k").empty());
}

}  // namespace
}  // namespace holdfast
