#include <chrono>
#include <filesystem>
#include <ranges>
#include <stdexcept>

#include "kv_fixture.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

static_assert(std::ranges::input_range<KvRange> && std::ranges::view<KvRange>);

TEST_F(KvStoreTest, WhatACallWroteIsThereForEveryHandleWhenItReturns) {
  EXPECT_EQ(store.get("a"), std::nullopt);
  EXPECT_FALSE(store.erase("a")) << "of a table that is not there yet";
  store.put("a", as_bytes("1"));
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(KvStore(open(), "kv").get("a"), to_bytes("1")) << "through another handle";
  EXPECT_TRUE(store.contains("a"));
  EXPECT_TRUE(store.erase("a"));
  EXPECT_FALSE(store.erase("a"));
  EXPECT_FALSE(store.contains("a"));
  store.put("b", as_bytes(""));
  EXPECT_EQ(get("b"), "") << "empty is not absent";
  EXPECT_EQ(store.count(), 1U);
}

TEST_F(KvStoreTest, PutReturningTellsTheValueBefore) {
  EXPECT_EQ(store.put_returning("a", as_bytes("1")), std::nullopt);
  EXPECT_EQ(store.put_returning("a", as_bytes("")), to_bytes("1"));
  EXPECT_EQ(store.put_returning("a", as_bytes("2"), 30ms), Bytes()) << "empty is not absent";
  EXPECT_EQ(get("a"), "2");
  clock->pass(30ms);
  EXPECT_EQ(store.put_returning("a", as_bytes("3")), std::nullopt) << "what is due is absent";
}

TEST_F(KvStoreTest, ABatchIsWrittenWholeOrNotAtAll) {
  store.put("a", as_bytes("1"));
  store.write(
      WriteBatch().put("b", as_bytes("2")).erase("a").put("b", as_bytes("3")).require_value("a", as_bytes("1")));
  EXPECT_EQ(keys(), Texts{"b"});
  EXPECT_EQ(get("b"), "3") << "in order";
  EXPECT_THROW(store.write(WriteBatch().put("c", as_bytes("x")).require_absent("b")), ConflictError);
  EXPECT_THROW(store.write(WriteBatch().put("c", as_bytes("x")).require_value("b", as_bytes("2"))), ConflictError);
  EXPECT_THROW(store.write(WriteBatch().put("c", as_bytes("x")).put(std::string(512, 'k'), as_bytes(""))), LimitError);
  EXPECT_FALSE(store.contains("c"));
  store.write(WriteBatch());
  store.write(WriteBatch().put("d", as_bytes("x")).put("e", as_bytes("y")), 30ms);
  EXPECT_EQ(keys(), (Texts{"b", "d", "e"}));
  clock->pass(30ms);
  EXPECT_EQ(keys(), (Texts{"b"})) << "all puts of a batch have its time to live";
}

TEST_F(KvStoreTest, CompareAndSwapExpectsAValueOrAbsenceAndPutsOrErases) {
  EXPECT_FALSE(store.compare_and_swap("a", as_bytes("1"), as_bytes("2"))) << "absent is no value";
  EXPECT_TRUE(store.compare_and_swap("a", std::nullopt, as_bytes("1")));
  EXPECT_FALSE(store.compare_and_swap("a", std::nullopt, as_bytes("2")));
  EXPECT_FALSE(store.compare_and_swap("a", as_bytes("2"), as_bytes("3")));
  EXPECT_TRUE(store.compare_and_swap("a", as_bytes("1"), as_bytes("")));
  EXPECT_FALSE(store.compare_and_swap("a", std::nullopt, as_bytes("2"))) << "empty is not absent";
  EXPECT_TRUE(store.compare_and_swap("a", as_bytes(""), std::nullopt));
  EXPECT_FALSE(store.contains("a"));
  EXPECT_TRUE(store.compare_and_swap("a", std::nullopt, std::nullopt));
  EXPECT_TRUE(store.compare_and_swap("lease", std::nullopt, as_bytes("mine"), 1s));
  EXPECT_FALSE(store.compare_and_swap("lease", std::nullopt, as_bytes("theirs"), 1s));
  clock->pass(1s);
  EXPECT_TRUE(store.compare_and_swap("lease", std::nullopt, as_bytes("theirs"), 1s));
}

TEST_F(KvStoreTest, MergeMakesTheNewValueFromTheOldOneOrLeavesAllAsItWas) {
  const auto more = [](std::optional<ByteView> old) -> std::optional<Bytes> {
    return to_bytes(std::to_string(old ? std::stoi(to_text(*old)) + 1 : 1));
  };
  EXPECT_EQ(store.merge("n", more), to_bytes("1"));
  EXPECT_EQ(store.merge("n", more), to_bytes("2"));
  EXPECT_THROW(store.merge("n", [](auto) -> std::optional<Bytes> { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(get("n"), "2");
  EXPECT_EQ(store.merge("n", [](auto) { return std::optional<Bytes>(); }), std::nullopt);
  EXPECT_FALSE(store.contains("n"));
}

TEST_F(KvStoreTest, ManyWhoMergeOneKeyLoseNoStep) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i)
        store.merge("n", [](std::optional<ByteView> old) {
          return std::optional(to_bytes(std::to_string(old ? std::stoi(to_text(*old)) + 1 : 1)));
        });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(get("n"), "200");
}

TEST_F(KvStoreTest, APutAfterADeadlineIsFreshAndLivesOn) {
  store.put("a", as_bytes("old"), 30ms);
  clock->pass(60ms);
  store.put("a", as_bytes("fresh"));
  EXPECT_EQ(get("a"), "fresh");
  clock->pass(24h);
  EXPECT_EQ(store.purge_expired(10), 0U);
  EXPECT_EQ(get("a"), "fresh");
}

TEST_F(KvStoreTest, ErasedAndPutAnewAKeySurvivesItsOldDeadline) {
  store.put("a", as_bytes("old"), 30ms);
  EXPECT_TRUE(store.erase("a"));
  store.put("a", as_bytes("new"));
  clock->pass(60ms);
  EXPECT_EQ(store.purge_expired(10), 0U);
  EXPECT_EQ(get("a"), "new");
}

TEST_F(KvStoreTest, ALongestTimeToLiveNeverEnds) {
  store.put("a", as_bytes("1"), std::chrono::milliseconds::max());
  store.put("b", as_bytes("1"), std::chrono::hours::max());
  clock->pass(24h * 365 * 100);
  EXPECT_EQ(keys(), (Texts{"a", "b"}));
  EXPECT_EQ(store.ttl("a"), std::chrono::milliseconds::max());
}

TEST_F(KvStoreTest, EveryCallAgreesThatAnExpiredKeyIsAbsent) {
  for (const char* key : {"a", "b", "c", "d"}) store.put(key, as_bytes("old"), 30ms);
  const KvSnapshot before = store.snapshot();
  clock->pass(60ms);
  EXPECT_EQ(store.get("a"), std::nullopt);
  EXPECT_FALSE(store.contains("a"));
  EXPECT_EQ(store.count(), 0U);
  EXPECT_EQ(keys(), Texts{});
  EXPECT_EQ(keys(store.prefix("a", Order::descending)), Texts{});
  EXPECT_EQ(store.ttl("a"), std::nullopt);
  const KvSnapshot after = store.snapshot();
  EXPECT_EQ(after.count(), 0U);
  EXPECT_EQ(after.get("a"), std::nullopt);
  EXPECT_EQ(before.count(), 4U) << "judged when it began";
  EXPECT_EQ(before.get("a"), to_bytes("old"));
  EXPECT_FALSE(store.expire("a", 1h));
  EXPECT_FALSE(store.persist("a"));
  EXPECT_FALSE(store.compare_and_swap("a", as_bytes("old"), as_bytes("new")));
  EXPECT_TRUE(store.compare_and_swap("a", std::nullopt, as_bytes("new")));
  EXPECT_EQ(get("a"), "new");
  EXPECT_FALSE(store.erase("b"));
  store.write(WriteBatch().require_absent("c").put("c", as_bytes("new")));
  EXPECT_EQ(store.merge("d", [](std::optional<ByteView> old) { return std::optional(to_bytes(old ? "old" : "new")); }),
            to_bytes("new"));
  EXPECT_EQ(keys(), (Texts{"a", "c", "d"}));
}

TEST_F(KvStoreTest, AGetOfAnExpiredKeyWaitsForNoWriter) {
  store.put("a", as_bytes("old"), 30ms);
  clock->pass(60ms);
  std::optional<Bytes> found = to_bytes("nothing yet");
  const auto writer = db->begin_write();
  std::thread([&] { found = store.get("a"); }).join();
  EXPECT_EQ(found, std::nullopt);
}

TEST_F(KvStoreTest, TimesToLiveAreSetToldAndTaken) {
  store.put("a", as_bytes("1"), 30ms);
  EXPECT_EQ(store.ttl("a"), 30ms);
  EXPECT_TRUE(store.expire("a", 1h));
  EXPECT_EQ(store.ttl("a"), 1h);
  EXPECT_EQ(store.snapshot().ttl("a"), 1h);
  EXPECT_TRUE(store.persist("a"));
  EXPECT_EQ(store.ttl("a"), std::chrono::milliseconds::max());
  store.put("a", as_bytes("2"), 0ms);
  EXPECT_FALSE(store.contains("a"));
  for (const char* key : {"a", "b", "c"}) store.put(key, as_bytes("3"), 1ms);
  clock->pass(1ms);
  EXPECT_EQ(store.purge_expired(2), 2U);
  EXPECT_EQ(store.purge_expired(2), 1U);
  EXPECT_EQ(store.purge_expired(2), 0U);
}

TEST_F(KvStoreTest, ATableWithoutExpiryRefusesTimesToLiveAndKeepsWhatItHas) {
  KvStore plain(db, "plain");
  plain.put("a", as_bytes("1"));
  EXPECT_THROW(plain.put("a", as_bytes("2"), 1h), UnsupportedError);
  EXPECT_THROW(plain.write(WriteBatch().erase("a").put("b", as_bytes("2")), 1h), UnsupportedError);
  EXPECT_THROW(plain.expire("a", 1h), UnsupportedError);
  EXPECT_THROW(plain.persist("a"), UnsupportedError);
  EXPECT_THROW(static_cast<void>(plain.ttl("a")), UnsupportedError);
  EXPECT_THROW(plain.purge_expired(1), UnsupportedError);
  EXPECT_EQ(plain.get("a"), to_bytes("1"));
  EXPECT_EQ(plain.count(), 1U);
}

TEST_F(KvStoreTest, RangesAndPrefixesRunBothWays) {
  for (const char* key : {"a", "ab", "b", "\xFF", "\xFF\xFF", "\xFF\xFFz"}) store.put(key, as_bytes(key));
  EXPECT_EQ(keys(store.prefix("a")), (Texts{"a", "ab"}));
  EXPECT_EQ(keys(store.prefix("a", Order::descending)), (Texts{"ab", "a"}));
  EXPECT_EQ(keys(store.prefix("")).size(), 6U);
  EXPECT_EQ(keys(store.prefix("\xFF\xFF")), (Texts{"\xFF\xFF", "\xFF\xFFz"}));
  EXPECT_EQ(keys(store.range({.first = "ab", .last = "c"})), (Texts{"ab", "b"}));
  EXPECT_EQ(keys(store.range({.first = "z", .last = "a"})), Texts{});
}

TEST_F(KvStoreTest, SnapshotsAreWholeAndShowNoLaterPut) {
  for (int i = 0; i < 100; ++i) store.put("key_05" + std::to_string(100 + i).substr(1), as_bytes("v"));
  std::vector<KvSnapshot> snapshots;
  for (unsigned i = 0; i < 8; ++i) {
    snapshots.push_back(store.snapshot());
    store.put("key_05" + std::to_string(100 + i).substr(1) + "later", as_bytes(""));
  }
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    std::size_t found = 0;
    for (const ByteEntry& entry : snapshots[i].range({.first = "key_0500", .last = "key_0600"}))
      if (!entry.key.empty()) ++found;
    EXPECT_EQ(found, 100 + i);
    EXPECT_EQ(snapshots[i].count(), 100 + i);
    EXPECT_FALSE(snapshots[i].contains("key_0507later"));
  }
  Texts seen;
  for (const ByteEntry& entry : snapshots[1].prefix("key_0500", Order::descending)) seen.push_back(to_text(entry.key));
  EXPECT_EQ(seen, (Texts{"key_0500later", "key_0500"}));
}

TEST_F(KvStoreTest, ATransactionSpansManyKeysAndReturnsWhatItsFunctionDoes) {
  const int sum = store.transaction([](WriteTransaction& txn, const ByteTable& table) {
    table.put(txn, as_bytes("a"), as_bytes("1"));
    table.put(txn, as_bytes("b"), as_bytes("2"));
    return 3;
  });
  EXPECT_EQ(sum, 3);
  EXPECT_THROW(store.transaction([](WriteTransaction& txn, const ByteTable& table) {
    table.clear(txn);
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(keys(), (Texts{"a", "b"}));
}

TEST_F(KvStoreTest, TheSizeOnDiskIsThatOfTheDataFile) {
  store.put("a", Bytes(100'000));
  EXPECT_EQ(store.size_on_disk_bytes(), std::filesystem::file_size(path() / "data.mdb"));
  EXPECT_GT(store.size_on_disk_bytes(), 100'000U);
}

TEST_F(KvStoreTest, ANullDatabaseAndAReservedNameAreRefused) {
  EXPECT_THROW(KvStore(nullptr, "kv"), OptionError);
  EXPECT_THROW(KvStore(db, "holdfast.meta"), OptionError);
}

TEST_F(KvStoreTest, ASealedStoreJudgesWhatWasPut) {
  KvStore checked(db, "sealed", sealed());
  checked.put("a", as_bytes("1"), 1h);
  EXPECT_EQ(checked.put_returning("a", as_bytes("2")), to_bytes("1"));
  EXPECT_TRUE(checked.compare_and_swap("a", as_bytes("2"), as_bytes("3")));
  EXPECT_TRUE(checked.expire("a", 2h));
  EXPECT_EQ(checked.ttl("a"), 2h);
  EXPECT_EQ(checked.get("a"), to_bytes("3"));
}

TEST_F(KvStoreTest, AStoreInMemoryIsTheSame) {
  KvStore fleeting(Database::open_in_memory(), "kv");
  fleeting.put("a", as_bytes("1"));
  EXPECT_TRUE(fleeting.compare_and_swap("a", as_bytes("1"), as_bytes("2")));
  EXPECT_EQ(fleeting.get("a"), to_bytes("2"));
}

}  // namespace
}  // namespace holdfast::testing
