#include <atomic>
#include <chrono>

#include "kv_fixture.hpp"

/// A KvStore with many callers, and those that it refuses.
namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

TEST_F(KvStoreTest, FiftyThreadsOfAHundredInsertsAreFiveThousandRows) {
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 50; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::string key = std::to_string(t) + "/" + std::to_string(i);
        if (!store.compare_and_swap(key, std::nullopt, as_bytes("v"))) ++refused;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused.load(), 0);
  EXPECT_EQ(store.count(), 5000U);
  EXPECT_LT(db->stats().groups, 5000U) << "they share commits";
}

TEST_F(KvStoreTest, OfManyWhoExpectAbsenceOneWins) {
  std::atomic<int> winners{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i)
        if (store.compare_and_swap("k" + std::to_string(i), std::nullopt, as_bytes("v"))) ++winners;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners.load(), 50);
}

TEST_F(KvStoreTest, CallersAtOnceShareACommitEachWithItsOwnAnswer) {
  store.put("old", as_bytes("1"));
  const StoreStats before = db->stats();
  bool swapped = true;
  bool conflict = false;
  bool erased = false;
  at_once({
      [&] { store.put("new", as_bytes("2")); },
      [&] { swapped = store.compare_and_swap("new", std::nullopt, as_bytes("3")); },
      [&] { conflict = !write_passes(WriteBatch().put("x", as_bytes("")).require_value("old", as_bytes("2"))); },
      [&] { EXPECT_THROW(store.put(std::string(512, 'k'), as_bytes("")), LimitError); },
      [&] { EXPECT_THROW(KvStore(db, "kv", sealed()).put("x", as_bytes("")), StateError) << "it is not sealed"; },
      [&] { erased = store.erase("old"); },
      [&] { EXPECT_EQ(store.put_returning("new", as_bytes("4")), to_bytes("2")) << "of the member before"; },
  });
  const StoreStats after = db->stats();
  EXPECT_EQ(after.groups - before.groups, 1U);
  EXPECT_EQ(after.commits - before.commits, 1U);
  EXPECT_FALSE(swapped);
  EXPECT_TRUE(conflict);
  EXPECT_TRUE(erased);
  EXPECT_EQ(get("new"), "4");
  EXPECT_EQ(keys(), Texts{"new"});
}

TEST_F(KvStoreTest, EachOfAGroupIsJudgedByTheClockOfItsOwnHandle) {
  store.put("a", as_bytes("1"), 1h);
  DatabaseOptions ahead = options();
  const auto later = std::make_shared<HandClock>();
  later->pass(2h);
  ahead.clock = later;
  KvStore far(Database::open(ahead), "kv");
  bool far_sees_none = false;
  at_once({[&] { EXPECT_FALSE(store.compare_and_swap("a", std::nullopt, as_bytes("2"))); },
           [&] { far_sees_none = far.compare_and_swap("a", std::nullopt, as_bytes("3")); }});
  EXPECT_TRUE(far_sees_none);
  EXPECT_EQ(get("a"), "3");
}

TEST_F(KvStoreTest, AGroupInWhichATableIsMissingMakesItAndLosesNothing) {
  KvStore one(db, "one");
  KvStore two(db, "two");
  at_once({[&] { one.put("a", as_bytes("1")); }, [&] { two.put("b", as_bytes("2")); },
           [&] { EXPECT_TRUE(store.compare_and_swap("c", std::nullopt, as_bytes("3"))); },
           [&] { one.put("d", as_bytes("4")); }});
  EXPECT_EQ(keys(one.range()), (Texts{"a", "d"}));
  EXPECT_EQ(keys(two.range()), Texts{"b"});
  EXPECT_EQ(keys(), Texts{"c"});
}

TEST_F(KvStoreTest, ATableThatIsDroppedAndMadeAnewMeanwhileIsWrittenToAsItIsThen) {
  store.put("a", as_bytes("1"));
  std::atomic<bool> done{false};
  std::thread dropping([&] {
    while (!done) db->update([&](WriteTransaction& txn) { db->drop_table(txn, "kv"); });
  });
  for (int i = 0; i < 300; ++i) store.put("b", as_bytes("2"));
  done = true;
  dropping.join();
  store.put("c", as_bytes("3"));
  EXPECT_EQ(get("c"), "3");
}

TEST_F(KvStoreTest, AStoreThatHasToGrowWritesAGroupOnce) {
  DatabaseOptions small = options("small");
  small.map_reserve_bytes = 1U << 20U;
  const auto tight = Database::open(small);
  KvStore growing(tight, "kv");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back(
        [&, t] { EXPECT_EQ(growing.put_returning(std::to_string(t), Bytes(1U << 20U)), std::nullopt); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(growing.count(), 4U);
  EXPECT_GT(tight->stats().growths, 0U);
}

TEST_F(KvStoreTest, ACallInsideATransactionOfTheSameThreadIsRefusedNotStuck) {
  db->update([&](WriteTransaction&) {
    EXPECT_EQ(refused_with([&] { store.put("a", as_bytes("")); }), State::would_deadlock);
    EXPECT_EQ(store.get("a"), std::nullopt) << "reading is not";
  });
}

TEST_F(KvStoreTest, WhoseTurnDoesNotComeGivesUpInTime) {
  DatabaseOptions hasty = options();
  hasty.busy_timeout = 50ms;
  KvStore impatient(Database::open(hasty), "kv");
  const auto writer = db->begin_write();
  std::thread([&] { EXPECT_EQ(refused_with([&] { impatient.put("a", as_bytes("")); }), State::in_use); }).join();
}

TEST_F(KvStoreTest, AReadOnlyHandleReadsAndRefusesToWrite) {
  store.put("a", as_bytes("1"));
  DatabaseOptions reading = options();
  reading.access = Access::read_only;
  KvStore reader(Database::open(reading), "kv");
  EXPECT_EQ(reader.get("a"), to_bytes("1"));
  EXPECT_EQ(refused_with([&] { reader.put("a", as_bytes("2")); }), State::read_only);
  EXPECT_EQ(refused_with([&] { reader.merge("a", [](auto) { return std::optional<Bytes>(); }); }), State::read_only);
}

}  // namespace
}  // namespace holdfast::testing
