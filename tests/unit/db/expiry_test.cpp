#include "db/expiry.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "db/expiry_tally.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using SystemTime = std::chrono::system_clock::time_point;

TEST(TimeToLive, AnyDurationIsWholeMillisecondsThatEndNoEarlier) {
  EXPECT_EQ(TimeToLive(30ms).milliseconds(), 30ms);
  EXPECT_EQ(TimeToLive(1ns).milliseconds(), 1ms);
  EXPECT_EQ(TimeToLive(1'000'001ns).milliseconds(), 2ms);
  EXPECT_EQ(TimeToLive(2h).milliseconds(), 7'200'000ms);
  EXPECT_EQ(TimeToLive(std::chrono::duration<double>(0.0015)).milliseconds(), 2ms);
  EXPECT_EQ(TimeToLive(milliseconds::max() - 1ms).milliseconds(), milliseconds::max() - 1ms);
}

TEST(TimeToLive, AMaximumOrMoreThan64BitsOfMillisecondsIsForEver) {
  EXPECT_TRUE(TimeToLive(std::chrono::nanoseconds::max()).is_forever());
  EXPECT_TRUE(TimeToLive(milliseconds::max()).is_forever());
  EXPECT_TRUE(TimeToLive(std::chrono::seconds::max()).is_forever());
  EXPECT_TRUE(TimeToLive(std::chrono::hours::max()).is_forever());
  EXPECT_TRUE(TimeToLive(std::chrono::years::max()).is_forever());
  EXPECT_TRUE(TimeToLive(std::chrono::seconds::max() - 1s).is_forever());
  EXPECT_TRUE(TimeToLive(std::chrono::duration<double>::max()).is_forever());
  EXPECT_TRUE(TimeToLive(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).is_forever());
  EXPECT_FALSE(TimeToLive(std::chrono::nanoseconds::max() - 1ns).is_forever());
}

TEST(TimeToLive, ZeroAndLessHaveEnded) {
  EXPECT_TRUE(TimeToLive(0ms).has_ended());
  EXPECT_TRUE(TimeToLive(-1ns).has_ended());
  EXPECT_TRUE(TimeToLive(std::chrono::hours::min()).has_ended());
  EXPECT_TRUE(TimeToLive(std::chrono::nanoseconds::min()).has_ended());
  EXPECT_TRUE(TimeToLive(std::chrono::duration<double>(-1e-300)).has_ended());
  EXPECT_TRUE(TimeToLive(std::chrono::duration<double>(std::nan(""))).has_ended());
  EXPECT_FALSE(TimeToLive(1ns).has_ended());
}

TEST(Deadline, IsNeverBeforeTheLongestTimeToLiveHasPassed) {
  EXPECT_EQ(deadline_after(1'000, 30ms), 1'030U);
  EXPECT_EQ(deadline_after(1'000, TimeToLive::forever()), never);
  EXPECT_EQ(deadline_after(1'000, milliseconds::max() - 1ms), never) << "beyond what a time left could count";
  EXPECT_EQ(deadline_after(0, milliseconds::max() - 1ms), UnixMs(milliseconds::max().count() - 1));
  EXPECT_EQ(deadline_after(never - 1, 1ms), never);
  EXPECT_EQ(time_left(never, 7), milliseconds::max());
  EXPECT_EQ(time_left(never - 1, 0), milliseconds::max());
  EXPECT_EQ(time_left(1'030, 1'000), 30ms);
  EXPECT_EQ(time_left(1'030, 1'030), 0ms);
  EXPECT_EQ(time_left(1'030, 2'000), 0ms);
}

TEST(Deadline, ATimeBefore1970CountsAs1970) {
  EXPECT_EQ(unix_ms(SystemTime(5ms)), 5U);
  EXPECT_EQ(unix_ms(SystemTime(-5ms)), 0U);
  EXPECT_EQ(unix_ms(SystemTime::min()), 0U);
  EXPECT_EQ(unix_ms(SystemTime::max()),
            UnixMs(std::chrono::floor<milliseconds>(SystemTime::max()).time_since_epoch().count()));
}

/// An expiring table and the index of its store, in memory.
struct ExpiryTest : ::testing::Test {
  static constexpr std::uint64_t id = 7;

  void put(std::string_view key, std::string_view value, UnixMs deadline = never) {
    rows.put(as_bytes(key), stored_value(deadline, as_bytes(value)));
    if (deadline != never) index.put(index_key(id, deadline, as_bytes(key)), {});
  }
  [[nodiscard]] std::optional<ByteView> get(std::string_view key, UnixMs now) const {
    return live_value(rows_view.get(as_bytes(key)), now);
  }
  [[nodiscard]] std::uint64_t count(UnixMs now) const {
    return live_count(rows_view.count(), index_view, id, nullptr, now);
  }
  [[nodiscard]] std::vector<std::string> keys(UnixMs now) const {
    std::vector<std::string> found;
    const auto cursor = live_cursor(rows_view.cursor(), now);
    for (auto item = cursor->seek({}); item; item = cursor->next()) found.push_back(to_text(item->key));
    return found;
  }
  WriteSet rows, index;
  MergedView rows_view{nullptr, rows}, index_view{nullptr, index};
};

TEST_F(ExpiryTest, GetCountAndCursorsAgreeOnWhatIsDue) {
  put("a", "1", 100);
  put("b", "2");
  put("c", "3", 101);
  put("d", "4", 99);
  EXPECT_FALSE(get("a", 100)) << "due from its deadline on";
  EXPECT_FALSE(get("d", 100));
  EXPECT_EQ(as_text(get("c", 100).value()), "3") << "without its deadline";
  EXPECT_EQ(count(100), 2U);
  EXPECT_EQ(keys(100), (std::vector<std::string>{"b", "c"}));

  const auto cursor = live_cursor(rows_view.cursor(), 100);
  EXPECT_EQ(as_text(cursor->seek_before(std::nullopt)->key), "c") << "backwards over d";
  EXPECT_EQ(as_text(cursor->previous()->key), "b");
  EXPECT_FALSE(cursor->previous());
  EXPECT_EQ(keys(98), (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(ExpiryTest, WhatATransactionWroteAgainIsNotCountedAsDue) {
  put("a", "1", 50);
  put("b", "2", 50);
  WriteSet written;
  written.put(as_bytes("a"), stored_value(never, as_bytes("fresh")));
  const MergedView merged(&rows_view, written);
  EXPECT_EQ(live_count(merged.count(), index_view, id, &written, 100), 1U);
  written.erase(as_bytes("b"));
  EXPECT_EQ(live_count(merged.count(), index_view, id, &written, 100), 1U);
}

TEST_F(ExpiryTest, DueEntriesComeInTheOrderOfTheirDeadlinesAndOfOneTableOnly) {
  put("z", "", 10);
  put("a", "", 30);
  put("m", "", 20);
  index.put(index_key(id - 1, 5, as_bytes("other")), {});
  index.put(index_key(id + 1, 5, as_bytes("other")), {});
  std::vector<std::string> due;
  const auto collect = [&](ByteView key) {
    due.push_back(to_text(key));
    return true;
  };
  each_due(index_view, id, 29, collect);
  EXPECT_EQ(due, (std::vector<std::string>{"z", "m"}));
  due.clear();
  each_due(index_view, id, never - 1, [&](ByteView key) { return collect(key) && due.size() < 2; });
  EXPECT_EQ(due, (std::vector<std::string>{"z", "m"}));
}

TEST_F(ExpiryTest, AValueTooShortForADeadlineIsCorruptOnEveryWayToIt) {
  rows.put(as_bytes("a"), as_bytes("1234567"));
  EXPECT_THROW(static_cast<void>(get("a", 1)), CorruptionError);
  EXPECT_THROW(static_cast<void>(keys(1)), CorruptionError);
}

TEST_F(ExpiryTest, AnIndexThatKnowsMoreThanTheTableIsCorruptWhenCounted) {
  index.put(index_key(id, 1, as_bytes("ghost")), {});
  EXPECT_THROW(static_cast<void>(count(1)), CorruptionError);
  index.put(to_bytes(ByteView(big_endian(id))), {});
  EXPECT_THROW(static_cast<void>(count(1)), CorruptionError) << "a row without deadline or key";
}

TEST(ExpiryTally, FindsEveryDifferenceBetweenIndexAndEntries) {
  const auto differences = [](std::vector<std::pair<UnixMs, std::string>> entries, const std::vector<Bytes>& rows) {
    ExpiryTally tally;
    for (const auto& [deadline, key] : entries) tally.add_entry(7, deadline, as_bytes(key));
    for (const Bytes& row : rows) tally.add_row(row);
    std::vector<std::vector<std::uint64_t>> found;
    for (const auto& [id, deadlines, indexed] : tally.differences()) found.push_back({id, deadlines, indexed});
    return found;
  };
  using Found = std::vector<std::vector<std::uint64_t>>;
  const auto row = [](UnixMs deadline, std::string_view key, std::uint64_t id = 7) {
    return index_key(id, deadline, as_bytes(key));
  };
  EXPECT_EQ(differences({{2, "b"}, {never, "c"}, {1, "a"}}, {row(1, "a"), row(2, "b")}), Found());
  EXPECT_EQ(differences({{1, "a"}}, {}), Found({{7, 1, 0}})) << "not indexed";
  EXPECT_EQ(differences({{never, "a"}}, {row(1, "a")}), Found({{7, 0, 1}})) << "indexed without a deadline";
  EXPECT_EQ(differences({{1, "a"}}, {row(2, "a")}), Found({{7, 1, 1}})) << "another deadline";
  EXPECT_EQ(differences({{1, "a"}}, {row(1, "b")}), Found({{7, 1, 1}})) << "another key";
  EXPECT_EQ(differences({{1, "a"}}, {row(1, "a", 8)}), Found({{7, 1, 0}, {8, 0, 1}})) << "another table";
  EXPECT_THROW(differences({}, {row(1, "")}), CorruptionError) << "a row without a key";
}

}  // namespace
}  // namespace holdfast::detail
