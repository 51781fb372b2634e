#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "holdfast/db/kv_store.hpp"
#include "support/child_process.hpp"
#include "support/hand_clock.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using Done = std::vector<std::future<void>>;

class WriteAsync : public DbTest {
 protected:
  [[nodiscard]] std::shared_ptr<Database> open_with(std::chrono::milliseconds busy_timeout,
                                                    std::uint64_t async_bytes = limits::async_bytes) const {
    DatabaseOptions given = options();
    given.durability = Durability::ordered;
    given.busy_timeout = busy_timeout;
    given.async_bytes = async_bytes;
    return Database::open(given);
  }
  [[nodiscard]] static WriteBatch put_of(int number, std::string_view value = "v") {
    return WriteBatch().put("k" + std::to_string(number), as_bytes(value));
  }
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    const auto value = KvStore(db, "kv").get(key);
    return value ? std::optional(to_text(*value)) : std::nullopt;
  }
  static bool is_ready(const std::future<void>& done) { return done.wait_for(0s) == std::future_status::ready; }

  std::shared_ptr<Database> db = open_with(10s);
  KvStore store{db, "kv"};
};

TEST_F(WriteAsync, ThousandsFromOneThreadShareCommitsAndAreThereWhenTheirFuturesAreFulfilled) {
  Done done;
  for (int i = 0; i < 5000; ++i) done.push_back(store.write_async(put_of(i)));
  for (int i = 0; i < 5000; ++i) {
    done[static_cast<std::size_t>(i)].get();
    if (i % 100 == 0) {
      EXPECT_TRUE(store.contains("k" + std::to_string(i)));
    }
  }
  EXPECT_EQ(store.count(), 5000U);
  EXPECT_LT(db->stats().commits, 1000U);
}

TEST_F(WriteAsync, BatchesAreCommittedInTheOrderGivenEachWithItsOwnAnswer) {
  Done done;
  for (int i = 0; i < 2000; ++i) done.push_back(store.write_async(put_of(i % 100, std::to_string(i))));
  auto conflict = store.write_async(put_of(7, "no").require_absent("k0").erase("k1"));
  auto refused = store.write_async(put_of(8, "no").put(std::string(512, 'k'), as_bytes("")));
  auto expiring = store.write_async(put_of(9, "no"), 1h);
  auto empty = store.write_async(WriteBatch());
  auto after = store.write_async(WriteBatch().put("after", as_bytes("")).require_value("k7", as_bytes("1907")));
  for (auto& each : done) each.get();
  EXPECT_THROW(conflict.get(), ConflictError);
  EXPECT_THROW(refused.get(), LimitError);
  EXPECT_THROW(expiring.get(), UnsupportedError);
  empty.get();
  after.get();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(get("k" + std::to_string(i)), std::to_string(1900 + i));
  EXPECT_TRUE(store.contains("after"));
}

TEST_F(WriteAsync, AnEraseBeforeTheFirstPutOfATableComesBeforeItAndOneAfterItAfter) {
  Done done;
  done.push_back(store.write_async(WriteBatch().erase("a")));
  done.push_back(store.write_async(WriteBatch().put("a", as_bytes("1"))));
  done.push_back(KvStore(db, "other").write_async(WriteBatch().put("b", as_bytes("1"))));
  done.push_back(store.write_async(WriteBatch().require_value("a", as_bytes("1")).erase("a")));
  for (auto& each : done) each.get();
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(KvStore(db, "other").get("b"), to_bytes("1"));
}

TEST_F(WriteAsync, TablesOfOneHandleShareTheirOrder) {
  KvStore other(db, "other");
  Done done;
  for (int i = 0; i < 500; ++i) {
    done.push_back(store.write_async(put_of(0, std::to_string(i))));
    done.push_back(other.write_async(put_of(0, std::to_string(i))));
  }
  for (int i = 0; i < 200; ++i) {
    db->view([&](const ReadTransaction& txn) {
      const auto first = store.table().get(txn, as_bytes("k0"));
      const auto second = other.table().get(txn, as_bytes("k0"));
      if (second) {
        EXPECT_GE(std::stoi(to_text(first.value())), std::stoi(to_text(*second)));
      }
    });
  }
  for (auto& each : done) each.get();
}

TEST_F(WriteAsync, ManyThreadsLoseNothingBesideReadersAndOtherWriters) {
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Done done;
      for (int i = 0; i < 250; ++i) done.push_back(store.write_async(put_of(t * 250 + i)));
      for (auto& each : done) each.get();
    });
  threads.emplace_back([&] {
    for (int i = 0; i < 50; ++i) store.put("sync" + std::to_string(i), as_bytes(""));
    for (int i = 0; i < 50; ++i) store.erase("sync" + std::to_string(i));
  });
  std::thread reader([&] {
    for (std::uint64_t seen = 0; !over;) {
      const std::uint64_t count = store.count();
      EXPECT_GE(count + 50, seen);
      seen = count;
    }
  });
  for (std::thread& thread : threads) thread.join();
  over = true;
  reader.join();
  EXPECT_EQ(store.count(), 1000U);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(WriteAsync, DestructionCommitsWhatWasGivenAndWaitsForIt) {
  auto other = open_with(10s);
  Done done;
  for (int i = 0; i < 500; ++i) done.push_back(other->write_async(other->table("kv"), put_of(i)));
  other.reset();
  for (auto& each : done) {
    ASSERT_TRUE(is_ready(each));
    each.get();
  }
  EXPECT_EQ(store.count(), 500U);
}

TEST_F(WriteAsync, DestructionWhileAnotherWritesWaitsNoLongerThanTheHandleWould) {
  auto hasty = open_with(50ms);
  const auto writer = db->begin_write();
  auto done = hasty->write_async(hasty->table("kv"), put_of(1));
  hasty.reset();
  ASSERT_TRUE(is_ready(done));
  EXPECT_EQ(refused_with([&] { done.get(); }), State::in_use);
}

TEST_F(WriteAsync, AThreadInATransactionOfItsOwnMayGiveBatches) {
  std::future<void> done;
  db->update([&](WriteTransaction& txn) {
    store.table().put(txn, as_bytes("k1"), as_bytes("of the transaction"));
    done = store.write_async(put_of(1, "after it").require_value("k1", as_bytes("of the transaction")));
  });
  done.get();
  EXPECT_EQ(get("k1"), "after it");
}

TEST_F(WriteAsync, WhoGivesMoreThanFitsInMemoryWaitsUntilSomeIsCommitted) {
  auto narrow = open_with(10s, 100'000);
  KvStore filling(narrow, "kv");
  filling.put("first", as_bytes(""));
  auto writer = std::make_optional(db->begin_write());
  std::atomic<int> given{0};
  std::thread giving([&] {
    Done done;
    for (int i = 0; i < 40; ++i) {
      done.push_back(filling.write_async(WriteBatch().put("k" + std::to_string(i), Bytes(10'000))));
      ++given;
    }
    for (auto& each : done) each.get();
  });
  while (given < 9) std::this_thread::yield();
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(given, 9);
  writer.reset();
  giving.join();
  EXPECT_EQ(filling.count(), 41U);
  filling.write_async(WriteBatch().put("larger than all", Bytes(200'000))).get();
}

TEST_F(WriteAsync, AMemberThatNoStoreHoldsFailsAlone) {
  DatabaseOptions small = options("small");
  small.map_reserve_bytes = 1U << 20U;
  small.busy_timeout = 500ms;
  const auto tight = Database::open(small);
  KvStore narrow(tight, "kv");
  narrow.put("first", as_bytes(""));
  const auto pinned = tight->begin_read();  // the map cannot grow
  Done done;
  {
    const auto writer = tight->begin_write();  // they gather
    for (int i = 0; i < 10; ++i)
      done.push_back(narrow.write_async(WriteBatch().put("k" + std::to_string(i), Bytes(i == 5 ? 4U << 20U : 100U))));
    std::this_thread::sleep_for(20ms);
  }
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (i == 5) {
      EXPECT_THROW(done[i].get(), LimitError);
    } else {
      EXPECT_NO_THROW(done[i].get()) << i;
    }
  }
  EXPECT_EQ(narrow.count(), 10U);
}

TEST_F(WriteAsync, ATableOfAnotherStoreIsRefusedInTheFuture) {
  const auto other = open("other");
  auto done = db->write_async(other->table("kv"), put_of(1));
  EXPECT_EQ(refused_with([&] { done.get(); }), State::foreign);
}

TEST_F(WriteAsync, AReadOnlyHandleRefusesTheCall) {
  store.put("a", as_bytes("1"));
  DatabaseOptions reading = options();
  reading.access = Access::read_only;
  const KvStore reader(Database::open(reading), "kv");
  EXPECT_EQ(refused_with([&] { static_cast<void>(KvStore(reader).write_async(put_of(1))); }), State::read_only);
}

TEST_F(WriteAsync, APoisonedStoreFailsEveryFuture) {
  store.write_async(put_of(1)).get();
  db->environment()->poison("as if a commit had failed");
  auto done = store.write_async(put_of(2));
  EXPECT_EQ(refused_with([&] { done.get(); }), State::poisoned);
}

TEST_F(WriteAsync, AChildOfForkIsRefusedAndLeavesTheThreadToItsParent) {
  store.write_async(put_of(1)).get();
  ChildProcess child([&](ChildProcess::Voice voice) {
    voice.tell(refused_with([&] { static_cast<void>(store.write_async(put_of(2))); }) == State::forked ? 1 : 0);
    store = KvStore(Database::open_in_memory(), "other");
    db.reset();  // the parent's handle, which must not wait for a thread that is not here
    voice.tell(2);
  });
  EXPECT_EQ(child.hear(), 1U);
  EXPECT_EQ(child.hear(), 2U);
  EXPECT_EQ(child.wait(), 0);
  store.write_async(put_of(3)).get();
  EXPECT_EQ(store.count(), 2U);
}

TEST_F(WriteAsync, TimesToLiveAreThoseOfEachBatch) {
  const auto clock = std::make_shared<HandClock>();
  DatabaseOptions given = options("expiring");
  given.clock = clock;
  KvStore sessions(Database::open(given), "sessions", {.expiry = Expiry::per_entry});
  auto short_lived = sessions.write_async(put_of(1), 30ms);
  auto lasting = sessions.write_async(put_of(2));
  short_lived.get();
  lasting.get();
  EXPECT_EQ(sessions.ttl("k1"), 30ms);
  clock->pass(30ms);
  EXPECT_FALSE(sessions.contains("k1"));
  EXPECT_TRUE(sessions.contains("k2"));
}

}  // namespace
}  // namespace holdfast::testing
