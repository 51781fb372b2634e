#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "holdfast/tier/flusher.hpp"
#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

class TierThreadsTest : public TierTest {};
INSTANTIATE_TEST_SUITE_P(Stores, TierThreadsTest, ::testing::ValuesIn(store_kinds()), store_name);

constexpr int thread_count = 4;

/// Runs `work(i)` in threads, i from 0, and waits for them.
template <class Work>
void in_threads(Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

TEST_P(TierThreadsTest, WritersOfOneLogThroughTiersOfTheirOwnLoseNothingAndKeepTheirOrder) {
  constexpr int each = 20;
  in_threads([&](int writer) {
    TextLog log(backend());
    for (int i = 0; i < each; ++i) log.append(std::to_string(writer) + ":" + std::to_string(i));
  });
  const TextLog log(backend());
  EXPECT_EQ(log.last_sequence(), static_cast<std::uint64_t>(thread_count * each));
  std::vector<int> next(thread_count, 0);
  std::uint64_t sequence = 0;
  auto entries = log.scan();
  for (const auto& entry : entries) {
    EXPECT_EQ(entry.sequence, ++sequence);
    const auto writer = static_cast<std::size_t>(entry.value[0] - '0');
    EXPECT_EQ(entry.value.substr(2), std::to_string(next[writer]++));
  }
  EXPECT_EQ(next, std::vector<int>(thread_count, each));
}

TEST_P(TierThreadsTest, AWriteThroughSaveIsStoredWhenItReturnsWhicheverThreadFlushedIt) {
  TextKv stock(backend());
  TextLog log(backend());
  in_threads([&](int writer) {
    for (int i = 0; i < 20; ++i) {
      const Text key = std::to_string(writer) + "/" + std::to_string(i);
      stock.save(key, "1");
      EXPECT_TRUE(stored()->read(key)) << key;
      log.append(key);
    }
  });
  EXPECT_EQ(values(log).size(), 20U * thread_count);
}

TEST_P(TierThreadsTest, UpdatesOfManyThreadsAreEachWhole) {
  CommitGroup group(backend());
  TextKv left(group, {.prefix = "left/", .debounce = true});
  TextKv right(group, {.prefix = "right/", .debounce = true});
  std::atomic<int> running{thread_count};
  std::thread reader([&] {
    while (running > 0) {
      const auto snapshot = stored()->snapshot();
      EXPECT_EQ(snapshot->read("left/k"), snapshot->read("right/k"));
    }
  });
  in_threads([&](int writer) {
    for (int i = 0; i < 20; ++i) {
      const Text text = std::to_string(writer) + "/" + std::to_string(i);
      group.update([&] {
        left.save("k", text);
        right.save("k", text);
      });
    }
    --running;
  });
  reader.join();
  EXPECT_EQ(left.load("k"), right.load("k"));
}

TEST_P(TierThreadsTest, RollbackDropsWhatARunningFlushHasNotYetWritten) {
  TextLog log(backend(), {.debounce = true});
  log.append("dropped");
  backend()->fail_when([&](const FaultyBackend::Call& call) {
    // The flush has taken the entry and looks for the head.
    if (call.operation == Operation::view) log.rollback();
    return false;
  });
  log.flush();
  backend()->heal();
  EXPECT_FALSE(log.has_pending());
  log.flush();
  EXPECT_EQ(values(log), Texts{});
}

TEST_P(TierThreadsTest, RollbackDuringAWriteThatFailsLeavesNothingToRetry) {
  TextKv stock(backend(), {.debounce = true});
  stock.save("a", "1");
  std::thread rollback;
  backend()->fail_when([&](const FaultyBackend::Call& call) {
    if (call.operation != Operation::apply) return false;
    rollback = std::thread([&] { stock.rollback(); });
    while (stock.has_pending()) std::this_thread::yield();
    return true;
  });
  EXPECT_THROW(stock.flush(), IoError);
  rollback.join();
  backend()->heal();
  stock.flush();
  EXPECT_EQ(stored_keys(), Texts{});
}

TEST_P(TierThreadsTest, RollbackReturnsWhenARunningWriteHasEndedSoThatNothingTurnsUpLater) {
  TextKv stock(backend(), {.debounce = true});
  stock.save("a", "1");
  std::thread rollback;
  backend()->fail_when([&](const FaultyBackend::Call& call) {
    if (call.operation != Operation::apply) return false;
    rollback = std::thread([&] {
      stock.rollback();
      EXPECT_TRUE(stored()->read("a")) << "it came too late, and says so by what is stored when it returns";
    });
    while (stock.has_pending()) std::this_thread::yield();
    return false;
  });
  stock.flush();
  rollback.join();
  backend()->heal();
}

TEST_P(TierThreadsTest, SavesMadeWhileAFlushWritesAreNotLostAndWin) {
  TextKv stock(backend(), {.debounce = true});
  TextLog log(backend(), {.debounce = true});
  for (const bool fails : {true, false}) {
    stock.save("a", "old");
    log.append("first");
    backend()->fail_when([&](const FaultyBackend::Call& call) {
      if (call.operation != Operation::apply) return false;
      stock.save("a", "new");
      log.append("second");
      return fails;
    });
    if (fails) {
      EXPECT_THROW(stock.flush(), IoError);
      EXPECT_THROW(log.flush(), IoError);
    } else {
      stock.flush();
      log.flush();
    }
    backend()->heal();
    stock.flush();
    log.flush();
    EXPECT_EQ(stock.load("a"), "new");
    stock.erase("a");
  }
  // Each round: one append before each flush of the log, one inside each of the two flushes.
  EXPECT_EQ(values(log), (Texts{"first", "second", "second", "first", "second", "second"}));
}

/// Waits for what another thread says.
class Signal {
 public:
  void give() {
    const std::lock_guard lock(mutex_);
    ++given_;
    changed_.notify_all();
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return given_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int given_ = 0;
};

TEST_P(TierThreadsTest, AFlusherWritesWhatGathersAndGoesOnAfterErrorsItReports) {
  Signal failed;
  TextKv stock(backend(), {.debounce = true});
  CommitGroup group(backend());
  TextKv member(group, {.prefix = "member/", .debounce = true});
  backend()->fail_every(Operation::apply);
  stock.save("a", "1");
  Flusher flusher({.interval = std::chrono::milliseconds(1), .on_error = [&](std::exception_ptr error) {
                     EXPECT_THROW(std::rethrow_exception(error), IoError);
                     failed.give();
                   }});
  flusher.add(stock);
  flusher.add(stock);
  flusher.add(group);
  failed.wait_for(2);
  EXPECT_TRUE(stock.has_pending());
  backend()->heal();
  member.save("b", "2");
  while (stock.has_pending() || member.has_pending()) std::this_thread::yield();
  flusher.stop();
  flusher.stop();
  EXPECT_EQ(stored_keys(), (Texts{"a", "member/b"}));
  stock.save("c", "3");
  EXPECT_EQ(stored_keys(), (Texts{"a", "member/b"})) << "a stopped flusher flushes nothing";
}

TEST_P(TierThreadsTest, AFlusherForgetsTiersThatAreGoneAndRefusesToStopItself) {
  Signal refused;
  std::unique_ptr<Flusher> flusher;
  flusher = std::make_unique<Flusher>(
      FlusherOptions{.interval = std::chrono::milliseconds(1), .on_error = [&](std::exception_ptr) {
                       EXPECT_THROW(flusher->stop(), StateError);
                       refused.give();
                     }});
  {
    TextKv gone(backend(), {.debounce = true});
    gone.save("gone", "1");
    backend()->fail_every(Operation::apply);
    flusher->add(gone);
    refused.wait_for(2);  // what was refused has not stopped it
  }
  flusher.reset();
  backend()->heal();
  EXPECT_EQ(stored_keys(), Texts{});
}

TEST(Flusher, TheLongestIntervalIsAWaitAndNotNone) {
  TextKv stock(std::make_shared<MemoryBackend>(), {.debounce = true});
  stock.save("a", "1");
  Flusher flusher({.interval = std::chrono::milliseconds::max(), .on_error = [](std::exception_ptr) {}});
  flusher.add(stock);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // many rounds, if there are any
  EXPECT_TRUE(stock.has_pending());
}

TEST(Flusher, OptionsAreJudgedAtConstruction) {
  EXPECT_THROW(Flusher({.interval = std::chrono::seconds(0), .on_error = [](std::exception_ptr) {}}), OptionError);
  EXPECT_THROW(Flusher({.interval = std::chrono::seconds(1)}), OptionError);
}

}  // namespace
}  // namespace holdfast::testing
