#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "holdfast/backend/lmdb.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t mebibyte = 1U << 20U;

/// In memory, where there is room for a large store.
std::filesystem::path roomy_directory() {
  const auto fast = testing::fast_directory();
  return std::filesystem::space(fast).available > 4096 * mebibyte ? fast : std::filesystem::temp_directory_path();
}

/// Stores that are written and read at once, and begin with the least reservation, so that they grow all the while.
class StoreLoad : public ::testing::Test {
 protected:
  [[nodiscard]] DatabaseOptions small() const {
    return {.path = directory_.path() / "store",
            .durability = Durability::ordered,
            .map_reserve_bytes = mebibyte,
            .busy_timeout = std::chrono::minutes(5)};  // for machines that are busy with more than this
  }
  static std::string name(int number) { return std::to_string(10'000 + number); }

 private:
  testing::TemporaryDirectory directory_{roomy_directory()};
};

TEST_F(StoreLoad, FromOneMebibyteToOverAGibibyteNoErrorReachesWritersOrReadersThatComeAndGo) {
  LmdbBackend backend(small());
  constexpr int values = 66;
  constexpr std::size_t value_bytes = 16 * mebibyte;
  std::atomic<int> written{0};
  std::atomic<std::uint64_t> reads{0};
  std::vector<std::jthread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&, r](const std::stop_token& stop) {
      for (int i = r; !stop.stop_requested(); ++i) {
        const int known = written.load();
        if (known == 0) continue;
        const int number = i % known;
        const bool found = backend.view(name(number), [&](ByteView value) {
          ASSERT_EQ(value.size(), value_bytes);
          ASSERT_EQ(value.front(), std::byte(number));
          ASSERT_EQ(value.back(), std::byte(number));
        });
        ASSERT_TRUE(found) << number;
        ++reads;
      }
    });
  }
  for (int i = 0; i < values; ++i) {
    backend.write(name(i), Bytes(value_bytes, std::byte(i)));
    written = i + 1;
  }
  readers.clear();
  EXPECT_GT(reads, 0U);
  const StoreStats stats = backend.database()->stats();
  EXPECT_GT(stats.file_bytes, 1024 * mebibyte);
  EXPECT_GE(stats.growths, 5U);
  EXPECT_LE(stats.growths, 12U) << "each doubles at least";
}

/// Hands snapshots from the threads that took them to others.
class SnapshotQueue {
 public:
  void push(ReadTransaction snapshot) {
    {
      const std::lock_guard lock(mutex_);
      snapshots_.push_back(std::move(snapshot));
    }
    arrived_.notify_one();
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return snapshots_.size();
  }
  /// nullopt when it is closed and empty.
  std::optional<ReadTransaction> pop() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return closed_ || !snapshots_.empty(); });
    if (snapshots_.empty()) return std::nullopt;
    ReadTransaction snapshot = std::move(snapshots_.front());
    snapshots_.pop_front();
    return snapshot;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<ReadTransaction> snapshots_;
  bool closed_ = false;
};

TEST_F(StoreLoad, FourWritersEightReadersGrowthAndSnapshotsThatMoveBetweenThreadsAgree) {
  const auto db = Database::open(small());
  LmdbBackend backend(db);
  const ByteTable table = db->table("pairs");
  constexpr int rounds = 60;
  const auto judge = [&](const ReadTransaction& txn) {
    for (int w = 0; w < 4; ++w) {
      const auto left = table.get(txn, as_bytes("left" + name(w)));
      const auto right = table.get(txn, as_bytes("right" + name(w)));
      ASSERT_EQ(left, right) << "half a transaction is seen";
    }
  };

  SnapshotQueue queue;
  std::vector<std::jthread> readers;
  for (int r = 0; r < 4; ++r) {
    readers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (queue.size() < 64) queue.push(db->begin_read());
        std::this_thread::yield();
      }
    });
  }
  std::vector<std::jthread> judges;
  for (int r = 0; r < 4; ++r) {
    judges.emplace_back([&] {
      while (const auto snapshot = queue.pop()) judge(*snapshot);
    });
  }
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < 4; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; i < rounds; ++i) {
          const Bytes value(static_cast<std::size_t>(i) * 1000, std::byte(i));
          db->update([&](WriteTransaction& txn) {
            table.put(txn, as_bytes("left" + name(w)), value);
            table.put(txn, as_bytes("right" + name(w)), value);
          });
          backend.write(name(w * rounds + i), Bytes(50'000, std::byte(w)));
        }
      });
    }
  }
  readers.clear();
  queue.close();
  judges.clear();

  const ReadTransaction last = db->begin_read();
  for (int w = 0; w < 4; ++w)
    EXPECT_EQ(table.get(last, as_bytes("left" + name(w))), Bytes((rounds - 1) * 1000, std::byte(rounds - 1)));
  for (int i = 0; i < 4 * rounds; ++i) EXPECT_EQ(backend.read(name(i)), Bytes(50'000, std::byte(i / rounds)));
  EXPECT_GT(db->stats().growths, 2U);
}

}  // namespace
}  // namespace holdfast
