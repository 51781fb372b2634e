#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "holdfast/backend/lmdb.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

class StoreReaders : public testing::DbTest {
 protected:
  [[nodiscard]] DatabaseOptions few(unsigned max_readers, std::chrono::milliseconds busy_timeout) const {
    DatabaseOptions options = this->options();
    options.max_readers = max_readers;
    options.busy_timeout = busy_timeout;
    return options;
  }
};

TEST_F(StoreReaders, FiveThousandShortOnesOfFifteenHundredThreadsAllSucceed) {
  const auto db = Database::open(options());
  LmdbBackend backend(db);
  backend.write("k", as_bytes("v"));
  put(*db, "t", "k", "v");
  constexpr int thread_count = 1500;
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < thread_count; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) reads += backend.read("k") == to_bytes(as_bytes("v")) ? 1 : 0;
      reads += get(*db, "t", "k") == "v" ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(reads, 4 * thread_count);
}

TEST_F(StoreReaders, BeyondTheArrayOfSlotsTheyAreServedToo) {
  const auto db = open();
  put(*db, "t", "k", "v");
  std::vector<ReadTransaction> held;
  for (int i = 0; i < 300; ++i) held.push_back(db->begin_read());
  put(*db, "t", "k", "w");
  const ByteTable table = db->table("t");
  for (const auto& txn : held) EXPECT_EQ(to_text(*table.get(txn, as_bytes("k"))), "v");
  held.clear();
  EXPECT_EQ(get(*db, "t", "k"), "w");
}

TEST_F(StoreReaders, EachSeesTheTablesOfItsOwnSnapshotWhileTheyChange) {
  const auto db = open();
  const ByteTable table = db->table("counter");
  const auto name = [](int number) { return "x" + std::to_string(number); };
  const auto set = [&](int number) {
    db->update(
        [&](WriteTransaction& txn) {
          table.put(txn, as_bytes("number"), as_bytes(name(number)));
          if (number % 3 == 0) {
            db->drop_table(txn, name(number - 1));
            db->table(name(number)).put(txn, as_bytes("k"), as_bytes("v"));
          } else {
            db->rename_table(txn, name(number - 1), name(number));
          }
        },
        {.durability = Durability::ordered});
  };
  const auto expect_whole = [&](const ReadTransaction& txn) {
    const std::string current = to_text(*table.get(txn, as_bytes("number")));
    EXPECT_EQ(db->tables(txn).size(), 2U);
    EXPECT_EQ(db->tables(txn).back().name, current);
    EXPECT_TRUE(db->table(current).contains(txn, as_bytes("k"))) << current;
    return current;
  };
  set(0);
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t)
    readers.emplace_back([&] {
      ReadTransaction held = db->begin_read();
      const std::string before = expect_whole(held);
      while (!done) expect_whole(db->begin_read());
      EXPECT_EQ(expect_whole(held), before);
    });
  for (int number = 1; number <= 300; ++number) {
    ReadTransaction held = db->begin_read();  // of this thread too, in turn before and after each change
    set(number);
    EXPECT_EQ(expect_whole(held), name(number - 1));
    EXPECT_EQ(expect_whole(db->begin_read()), name(number));
    held.end();
    EXPECT_EQ(expect_whole(db->begin_read()), name(number));
  }
  done = true;
  for (auto& reader : readers) reader.join();
}

TEST_F(StoreReaders, WithoutASlotOneWaitsUntilAnotherEnds) {
  const auto db = Database::open(few(2, 20s));
  put(*db, "t", "k", "v");
  std::vector<ReadTransaction> held;
  held.push_back(db->begin_read());
  held.push_back(db->begin_read());
  std::jthread ending([&] {
    std::this_thread::sleep_for(100ms);
    held.front().end();
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(get(*db, "t", "k"), "v");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 50ms);
}

TEST_F(StoreReaders, WithoutASlotAfterTheTimeoutItIsALimitError) {
  const auto db = Database::open(few(3, 100ms));
  const std::vector<std::shared_ptr<const BackendSnapshot>> held = [&] {
    std::vector<std::shared_ptr<const BackendSnapshot>> all;
    for (int i = 0; i < 3; ++i) all.push_back(LmdbBackend(db).snapshot());
    return all;
  }();
  const auto began = std::chrono::steady_clock::now();
  try {
    static_cast<void>(db->begin_read());
    FAIL() << "a fourth reader";
  } catch (const LimitError& error) {
    EXPECT_EQ(error.facts().limit, "max_readers");
    EXPECT_EQ(error.facts().maximum, 3U);
  }
  const auto waited = std::chrono::steady_clock::now() - began;
  EXPECT_GE(waited, 100ms);
  EXPECT_LT(waited, 5s);
}

TEST_F(StoreReaders, WhoDoNotReadAnyMoreKeepNoMoreThanAnEighthOfTheSlotsFromOtherProcesses) {
  const DatabaseOptions options = few(16, 100ms);
  put(*Database::open(options), "t", "k", "v");
  int end[2] = {-1, -1};
  ASSERT_EQ(::pipe(end), 0);
  testing::ChildProcess child([&](const testing::ChildProcess::Voice& voice) {
    const auto db = Database::open(options);
    std::vector<ReadTransaction> held;
    for (int i = 0; i < 15; ++i) held.push_back(db->begin_read());
    held.clear();
    voice.tell(1);
    char go = 0;
    static_cast<void>(::read(end[0], &go, 1));
  });
  ASSERT_TRUE(child.hear());
  const auto db = Database::open(options);
  std::vector<ReadTransaction> held;
  for (int i = 0; i < 13; ++i) held.push_back(db->begin_read());
  EXPECT_EQ(db->stats().readers, 13U) << "which is a reader itself";
  ::close(end[0]);
  ::close(end[1]);
}

TEST_F(StoreReaders, ATransactionThatEndedIsRenewedForTheNextReader) {
  const auto db = open();
  put(*db, "t", "k", "v");
  const auto slots = [&] { return db->stats().reader_slots; };
  static_cast<void>(get(*db, "t", "k"));
  const unsigned before = slots();
  EXPECT_GE(before, 1U);
  for (int i = 0; i < 5; ++i) static_cast<void>(get(*db, "t", "k"));
  EXPECT_EQ(slots(), before);
}

TEST_F(StoreReaders, SlotsOfAKilledOneAreRecoveredByWhoNeedsThem) {
  const DatabaseOptions options = few(4, 5s);
  static_cast<void>(Database::open(options));
  testing::ChildProcess child([&](const testing::ChildProcess::Voice& voice) {
    const auto db = Database::open(options);
    std::vector<ReadTransaction> held;
    for (int i = 0; i < 3; ++i) held.push_back(db->begin_read());
    voice.tell(held.size());
    for (;;) std::this_thread::sleep_for(1s);
  });
  ASSERT_EQ(child.hear(), 3U);
  const auto db = Database::open(options);  // before the child dies: an opening sweeps too
  child.kill();
  child.wait();
  std::vector<ReadTransaction> held;
  for (int i = 0; i < 4; ++i) held.push_back(db->begin_read());
  EXPECT_EQ(held.size(), 4U);
}

}  // namespace
}  // namespace holdfast
