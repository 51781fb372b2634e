#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "holdfast/backend/lmdb.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t mebibyte = 1U << 20U;

class StoreGrowth : public testing::DbTest {
 protected:
  [[nodiscard]] DatabaseOptions small() const {
    return {.path = path(), .durability = Durability::ordered, .map_reserve_bytes = mebibyte};
  }
  static std::uint64_t map_bytes(const Database& db) { return db.environment()->map().bytes(); }
  /// The limit that `call` runs into.
  template <class Call>
  static std::string limit_of(Call call) {
    try {
      call();
    } catch (const LimitError& error) {
      EXPECT_GT(error.facts().actual, error.facts().maximum);
      return error.facts().limit;
    }
    return "none";
  }
  static std::string name(int number) { return std::to_string(1000 + number); }
};

TEST_F(StoreGrowth, ATransactionLargerThanTheReservationIsCommittedWhole) {
  const auto db = Database::open(small());
  put(*db, "before", "k", "v");
  const ByteTable table = db->table("t");
  db->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 100; ++i) table.put(txn, as_bytes(name(i)), Bytes(100'000, std::byte(i)));
    db->table("before").put(txn, as_bytes("k"), as_bytes("w"));
  });
  EXPECT_GT(map_bytes(*db), 10 * mebibyte);
  EXPECT_EQ(get(*db, "before", "k"), "w");
  const ReadTransaction txn = db->begin_read();
  EXPECT_EQ(table.count(txn), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(table.get(txn, as_bytes(name(i))), Bytes(100'000, std::byte(i)));
}

TEST_F(StoreGrowth, TheBackendsWritesErasesAndBatchesGrowItToo) {
  LmdbBackend backend(small());
  backend.write("single", Bytes(5 * mebibyte, std::byte{1}));
  WriteBatch batch;
  batch.require_value("single", Bytes(5 * mebibyte, std::byte{1}));
  for (int i = 0; i < 20; ++i) batch.put(name(i), Bytes(mebibyte, std::byte{2}));
  backend.apply(batch);
  EXPECT_TRUE(backend.erase("single"));
  EXPECT_EQ(backend.read("single"), std::nullopt);
  EXPECT_EQ(backend.read(name(19)), Bytes(mebibyte, std::byte{2}));
}

TEST_F(StoreGrowth, ASnapshotHeldMeanwhileIsALimitErrorInTimeAndNothingIsLost) {
  DatabaseOptions options = small();
  options.busy_timeout = 200ms;
  const auto db = Database::open(options);
  put(*db, "t", "k", "v");
  const ByteTable table = db->table("t");
  const Bytes large(4 * mebibyte, std::byte{3});
  {
    const ReadTransaction held = db->begin_read();
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(limit_of([&] { db->update([&](auto& txn) { table.put(txn, as_bytes("k"), large); }); }),
              "map_reserve_bytes");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
    EXPECT_EQ(to_text(*table.get(held, as_bytes("k"))), "v");
    EXPECT_EQ(get(*db, "t", "k"), "v");
    put(*db, "t", "small", "still fits");
  }
  db->update([&](auto& txn) { table.put(txn, as_bytes("k"), large); });
  const ReadTransaction txn = db->begin_read();
  EXPECT_EQ(table.get(txn, as_bytes("k")), large);
  EXPECT_EQ(get(*db, "t", "small"), "still fits");
}

TEST_F(StoreGrowth, AThreadThatReadsTwiceAtOnceIsLetInToFinish) {
  const auto db = Database::open(small());
  put(*db, "t", "k", "v");
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const ReadTransaction outer = db->begin_read();
      std::this_thread::sleep_for(10ms);  // the gate closes meanwhile
      EXPECT_EQ(get(*db, "t", "k"), "v");
    }
  });
  for (int i = 0; i < 4; ++i) {
    const std::size_t size = mebibyte << static_cast<unsigned>(i);
    db->update([&](WriteTransaction& txn) { db->table("large").put(txn, as_bytes(name(i)), Bytes(size)); });
  }
  EXPECT_GT(map_bytes(*db), 8 * mebibyte);
}

TEST_F(StoreGrowth, ThatThreadIsLetInByAClockThatStandsStillToo) {
  DatabaseOptions options = small();
  options.clock = std::make_shared<testing::StoppedClock>();
  const auto db = Database::open(options);
  put(*db, "t", "k", "v");
  std::atomic<bool> reads = false;
  std::thread reader([&] {
    const ReadTransaction outer = db->begin_read();
    reads = true;
    std::this_thread::sleep_for(100ms);  // the gate closes meanwhile
    EXPECT_EQ(get(*db, "t", "k"), "v");
  });
  while (!reads) std::this_thread::yield();
  db->update([&](WriteTransaction& txn) { db->table("large").put(txn, as_bytes("k"), Bytes(4 * mebibyte)); });
  reader.join();
  EXPECT_GT(map_bytes(*db), 4 * mebibyte);
}

TEST_F(StoreGrowth, AReservationOfLessThanTheSmallestStepFollowsAnotherProcessToo) {
  DatabaseOptions options = small();
  options.map_reserve_bytes = 64U << 10U;
  static_cast<void>(Database::open(options));
  int order[2] = {-1, -1};
  ASSERT_EQ(::pipe(order), 0);
  testing::ChildProcess child([&](const testing::ChildProcess::Voice& voice) {
    const auto db = Database::open(options);
    char go = 0;
    if (::read(order[0], &go, 1) != 1) return;
    db->update([&](WriteTransaction& txn) { db->table("t").put(txn, as_bytes("k"), Bytes(200'000)); });
    voice.tell(1);
  });
  const auto db = Database::open(options);
  ASSERT_EQ(map_bytes(*db), options.map_reserve_bytes);
  ASSERT_EQ(::write(order[1], "g", 1), 1);
  ASSERT_TRUE(child.hear());
  EXPECT_EQ(get(*db, "t", "k"), std::string(200'000, '\0'));
  ::close(order[0]);
  ::close(order[1]);
}

TEST_F(StoreGrowth, BesideAPatientHandleAnImpatientOneStillWaitsForItsOwnTimeoutOnly) {
  DatabaseOptions patient = small();
  patient.busy_timeout = 20s;
  DatabaseOptions impatient = small();
  impatient.busy_timeout = 50ms;
  put(*Database::open(small()), "t", "k", "v");
  int order[2] = {-1, -1};
  ASSERT_EQ(::pipe(order), 0);
  testing::ChildProcess child([&](const testing::ChildProcess::Voice& voice) {
    const auto db = Database::open(small());
    char go = 0;
    if (::read(order[0], &go, 1) != 1) return;
    db->update([&](WriteTransaction& txn) { db->table("t").put(txn, as_bytes("k"), Bytes(4 * mebibyte)); });
    voice.tell(1);
  });
  const auto db = Database::open(patient);
  const auto other = Database::open(impatient);
  ReadTransaction held = db->begin_read();
  ASSERT_EQ(::write(order[1], "g", 1), 1);
  ASSERT_TRUE(child.hear());
  std::thread waiter([&] { EXPECT_EQ(get(*db, "t", "k"), std::string(4 * mebibyte, '\0')); });
  std::this_thread::sleep_for(200ms);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(limit_of([&] { get(*other, "t", "k"); }), "map_reserve_bytes");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  held.end();
  waiter.join();
  ::close(order[0]);
  ::close(order[1]);
}

TEST_F(StoreGrowth, WhatAnotherProcessHasGrownIsAdoptedByReadersAndWriters) {
  const DatabaseOptions options = small();
  static_cast<void>(Database::open(options));
  int orders[2] = {-1, -1};
  ASSERT_EQ(::pipe(orders), 0);
  testing::ChildProcess child([&](const testing::ChildProcess::Voice& voice) {
    const auto db = Database::open(options);
    char order = 0;
    while (::read(orders[0], &order, 1) == 1) {
      db->update([&](WriteTransaction& txn) {
        db->table("t").put(txn, as_bytes(std::string(1, order)), Bytes(8 * mebibyte, std::byte(order)));
      });
      voice.tell(1);
    }
  });
  const auto db = Database::open(options);
  EXPECT_EQ(map_bytes(*db), mebibyte);
  ASSERT_EQ(::write(orders[1], "a", 1), 1);
  ASSERT_TRUE(child.hear());
  EXPECT_EQ(get(*db, "t", "a"), std::string(8 * mebibyte, 'a'));
  const std::uint64_t adopted = map_bytes(*db);
  EXPECT_GT(adopted, 8 * mebibyte);
  EXPECT_LT(adopted, 64 * mebibyte);
  ASSERT_EQ(::write(orders[1], "b", 1), 1);
  ASSERT_EQ(::write(orders[1], "c", 1), 1);
  ASSERT_TRUE(child.hear());
  ASSERT_TRUE(child.hear());
  put(*db, "t", "k", "written");
  EXPECT_EQ(get(*db, "t", "c"), std::string(8 * mebibyte, 'c'));
  ::close(orders[0]);
  ::close(orders[1]);
}

}  // namespace
}  // namespace holdfast
