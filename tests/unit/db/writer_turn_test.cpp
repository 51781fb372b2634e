#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db/writer_lock.hpp"
#include "db/writer_queue.hpp"
#include "db_fixture.hpp"
#include "forwarding_file_ops.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

using detail::Deadline;
using detail::WriterQueue;
using testing::ChildProcess;
using testing::refused_with;
using testing::StoppedClock;
using namespace std::chrono_literals;

Deadline within(std::chrono::milliseconds timeout) {
  return {system_clock(), timeout};
}

TEST(WriterQueue, TurnsComeInTheOrderOfTheirAsking) {
  WriterQueue queue;
  ASSERT_TRUE(queue.enter(within(0ms)));
  std::vector<int> turns;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      ASSERT_TRUE(queue.enter(within(60s)));
      turns.push_back(i);
      queue.leave();
    });
    while (queue.waiting() != static_cast<std::size_t>(i) + 1) std::this_thread::yield();
  }
  queue.leave();
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(turns, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(WriterQueue, OneWhoGivesUpLosesHisPlaceAndNoTurnIsLostWithHim) {
  WriterQueue queue;
  ASSERT_TRUE(queue.enter(within(0ms)));
  std::atomic<bool> gave_up = false;
  std::thread impatient([&] {
    EXPECT_FALSE(queue.enter(within(20ms)));
    gave_up = true;
  });
  while (queue.waiting() != 1 && !gave_up) std::this_thread::yield();
  std::thread patient([&] {
    EXPECT_TRUE(queue.enter(within(60s)));
    queue.leave();
  });
  impatient.join();
  queue.leave();
  patient.join();
  EXPECT_TRUE(queue.enter(within(0ms)));
}

TEST(WriterQueue, KnowsWhoseTurnItIs) {
  WriterQueue queue;
  EXPECT_FALSE(queue.is_mine());
  ASSERT_TRUE(queue.enter(within(0ms)));
  EXPECT_TRUE(queue.is_mine());
  std::thread([&] { EXPECT_FALSE(queue.is_mine()); }).join();
  queue.leave();
  EXPECT_FALSE(queue.is_mine());
}

TEST(WriterQueue, WaitsByTheClockItWasGiven) {
  const auto clock = std::make_shared<StoppedClock>();
  WriterQueue queue;
  ASSERT_TRUE(queue.enter(within(0ms)));
  std::atomic<bool> gave_up = false;
  std::thread waiter([&] {
    EXPECT_FALSE(queue.enter({clock, 1ms}));
    gave_up = true;
  });
  std::this_thread::sleep_for(60ms);
  EXPECT_FALSE(gave_up);
  clock->pass(1ms);
  waiter.join();
}

/// Lock calls answer what the test wants.
class LockOps final : public testing::ForwardingFileOps {
 public:
  int try_lock_byte(int fd, std::uint64_t at, LockMode mode) override {
    if (const int result = std::exchange(next_, 0); result != 0) return result;
    return ForwardingFileOps::try_lock_byte(fd, at, mode);
  }
  void answer_once(int result) { next_ = result; }

 private:
  int next_ = 0;
};

class WriterTurn : public testing::DbTest {
 protected:
  /// A process that holds a write transaction until it is killed.
  ChildProcess holder() const {
    return ChildProcess([this](ChildProcess::Voice voice) {
      const auto db = open();
      const auto txn = db->begin_write();
      voice.tell(1);
      std::this_thread::sleep_for(60s);
    });
  }

  [[nodiscard]] std::shared_ptr<Database> open_with(std::chrono::milliseconds busy_timeout) const {
    DatabaseOptions impatient = options();
    impatient.busy_timeout = busy_timeout;
    return Database::open(impatient);
  }

  /// What the in_use error of beginning says.
  static std::string refused_begin(Database& db) {
    try {
      const auto txn = db.begin_write();
    } catch (const StateError& error) {
      EXPECT_EQ(error.facts().state, State::in_use);
      return error.facts().problem;
    }
    return "begun";
  }
};

TEST_F(WriterTurn, TheLockIsTriedAgainWhenInterruptedAndAFailureIsAnIoError) {
  const auto ops = std::make_shared<LockOps>();
  const File file(ops, path("LOCK"), O_RDWR | O_CREAT);
  detail::WriterLock lock(ops, file);
  ops->answer_once(-EINTR);
  EXPECT_TRUE(lock.take(within(0ms)));
  lock.give_back();
  ops->answer_once(-EIO);
  try {
    static_cast<void>(lock.take(within(0ms)));
    FAIL() << "a failed lock passed";
  } catch (const IoError& error) {
    EXPECT_EQ(error.facts().error_number, EIO);
  }
  EXPECT_TRUE(lock.take(within(0ms)));
}

TEST_F(WriterTurn, TheLockIsOfOneOpeningAtATimeAndComesWhenItIsGivenBack) {
  const auto ops = system_file_ops();
  const File first_file(ops, path("LOCK"), O_RDWR | O_CREAT);
  const File second_file(ops, path("LOCK"), O_RDWR);
  detail::WriterLock first(ops, first_file);
  detail::WriterLock second(ops, second_file);
  ASSERT_TRUE(first.take(within(0ms)));
  EXPECT_FALSE(second.take(within(0ms)));
  EXPECT_FALSE(second.take(within(10ms)));
  std::thread waiter([&] { EXPECT_TRUE(second.take(within(60s))); });
  std::this_thread::sleep_for(5ms);
  first.give_back();
  waiter.join();
  EXPECT_FALSE(first.take(within(0ms)));
}

TEST_F(WriterTurn, OneWhoKnowsThatAnotherWaitsPausesNowAndThenBeforeHeTakesTheLockAgainWhateverHisClock) {
  const auto ops = system_file_ops();
  const File waiting(ops, path("LOCK"), O_RDWR | O_CREAT);
  ASSERT_GE(ops->try_lock_byte(waiting.fd(), 3, LockMode::shared), 0);
  const File file(ops, path("LOCK"), O_RDWR);
  detail::WriterLock lock(ops, file);
  const auto late = std::make_shared<StoppedClock>();
  late->pass(std::chrono::steady_clock::now().time_since_epoch() + 24h);
  const auto early = std::make_shared<StoppedClock>();
  std::chrono::steady_clock::duration took{};
  for (int i = 0; i < 10; ++i) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(lock.take({i % 2 == 0 ? late : early, 60s}));
    took += std::chrono::steady_clock::now() - began;
    lock.give_back();
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_GE(took, 30ms);  // each time longer than the longest nap of a waiter
}

TEST_F(WriterTurn, OneWhoWritesWithoutAPauseLetsAWaitingOneIn) {
  const auto ops = system_file_ops();
  const File first_file(ops, path("LOCK"), O_RDWR | O_CREAT);
  const File second_file(ops, path("LOCK"), O_RDWR);
  std::atomic<bool> stop = false;
  std::thread greedy([&] {
    detail::WriterLock first(ops, first_file);
    while (!stop) {
      ASSERT_TRUE(first.take(within(60s)));
      std::this_thread::sleep_for(1ms);
      first.give_back();
    }
  });
  detail::WriterLock second(ops, second_file);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(second.take(within(2s))) << i;
    second.give_back();
  }
  stop = true;
  greedy.join();
}

TEST_F(WriterTurn, TryBeginWriteKeepsItsWordWhileAnotherThreadWrites) {
  const auto db = open();
  auto txn = std::make_optional(db->begin_write());
  std::thread([&] {
    EXPECT_FALSE(db->try_begin_write(0ms));
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(db->try_begin_write(50ms));
    const auto waited = std::chrono::steady_clock::now() - began;
    EXPECT_GE(waited, 50ms);
    EXPECT_LT(waited, 5s);
  }).join();
  txn.reset();
  std::thread([&] { EXPECT_TRUE(db->try_begin_write(0ms)); }).join();
}

TEST_F(WriterTurn, TryBeginWriteKeepsItsWordWhileAnotherProcessWrites) {
  put(*open(), "t", "k", "v");
  ChildProcess other = holder();
  ASSERT_EQ(other.hear(), 1U);
  const auto db = open_with(30ms);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(db->try_begin_write(0ms));
  EXPECT_FALSE(db->try_begin_write(50ms));
  EXPECT_EQ(refused_begin(*db), "waited 30 ms for its turn to write: another process writes");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_EQ(get(*db, "t", "k"), "v");
  other.kill();
  other.wait();
  put(*db, "t", "k", "w");  // what a killed process held is free at once
}

TEST_F(WriterTurn, TryBeginWriteKeepsItsWordWhileAnotherProcessHasAbandonedATransaction) {
  put(*open(), "t", "k", "v");
  ChildProcess other([this](ChildProcess::Voice voice) {
    const auto db = open();
    auto txn = std::make_unique<CommittableTransaction>(db->begin_write());
    std::thread([&] { txn.reset(); }).join();
    voice.tell(refused_with([&] { static_cast<void>(db->begin_write()); }) == State::poisoned ? 1 : 0);
    std::this_thread::sleep_for(20s);
  });
  ASSERT_EQ(other.hear(), 1U);
  const auto db = open();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(db->try_begin_write(50ms));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  other.kill();
  other.wait();
  put(*db, "t", "k", "w");
}

TEST_F(WriterTurn, TryBeginWriteKeepsItsWordWhenAnotherProcessHasGrownTheStoreUnderOurReaders) {
  DatabaseOptions small = options();
  small.map_reserve_bytes = 1U << 20U;
  put(*Database::open(small), "t", "k", "v");
  int order[2] = {-1, -1};
  ASSERT_EQ(::pipe(order), 0);
  ChildProcess child([&](ChildProcess::Voice voice) {
    const auto db = Database::open(small);
    char go = 0;
    if (::read(order[0], &go, 1) != 1) return;
    put(*db, "t", "large", std::string(4U << 20U, 'x'));
    voice.tell(1);
  });
  small.busy_timeout = 20s;
  const auto db = Database::open(small);
  const ReadTransaction held = db->begin_read();
  ASSERT_EQ(::write(order[1], "g", 1), 1);
  ASSERT_TRUE(child.hear());
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THROW(static_cast<void>(db->try_begin_write(50ms)), LimitError);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  ::close(order[0]);
  ::close(order[1]);
}

TEST_F(WriterTurn, BeginWriteWaitsForBusyTimeoutAndSaysForWhom) {
  const auto db = open_with(20ms);
  const auto txn = db->begin_write();
  std::thread([&] {
    EXPECT_EQ(refused_begin(*db), "waited 20 ms for its turn to write: another thread of this process writes");
  }).join();
}

TEST_F(WriterTurn, ANegativeBusyTimeoutIsRefused) {
  EXPECT_THROW(static_cast<void>(open_with(-1ms)), OptionError);
}

TEST_F(WriterTurn, WaitsForTheWriterBeforeAndThenWrites) {
  const auto db = open();
  auto txn = std::make_optional(db->begin_write());
  std::thread waiter([&] { put(*db, "t", "k", "second"); });
  while (db->environment()->writers().waiting() != 1) std::this_thread::yield();
  db->table("t").put(*txn, as_bytes("k"), as_bytes("first"));
  txn->commit();
  waiter.join();
  EXPECT_EQ(get(*db, "t", "k"), "second");
}

TEST_F(WriterTurn, ATransactionThatTryBeginWriteBeganIsLikeAnyOther) {
  const auto db = open();
  auto txn = db->try_begin_write(0ms);
  ASSERT_TRUE(txn);
  EXPECT_EQ(refused_with([&] { static_cast<void>(db->try_begin_write(0ms)); }), State::would_deadlock);
  db->table("t").put(*txn, as_bytes("k"), as_bytes("v"));
  EXPECT_EQ(txn->commit(), Durability::synced);
  EXPECT_EQ(get(*db, "t", "k"), "v");
}

TEST_F(WriterTurn, ProcessesThatWriteWithoutAPauseBothGetOn) {
  put(*open(), "t", "k", "v");
  const auto write = [&](ChildProcess::Voice voice) {
    const auto db = open();
    for (int i = 0; i < 100; ++i) put(*db, "t", std::to_string(::getpid()) + "/" + std::to_string(i), "v");
    voice.tell(1);
  };
  ChildProcess first(write);
  ChildProcess second(write);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  const auto db = open();
  EXPECT_EQ(db->view([&](const ReadTransaction& txn) { return db->table("t").count(txn); }), 201U);
}

}  // namespace
}  // namespace holdfast
