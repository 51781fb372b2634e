// A program that gives batches to write_async as fast as it can, killed with SIGKILL at random moments: what its
// futures acknowledged is there, every batch is whole, and none is there without those given before it.

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <future>
#include <random>
#include <string>
#include <thread>

#include "holdfast/db/kv_store.hpp"
#include "support/child_process.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

constexpr std::size_t in_flight = 200;

std::string key_of(std::uint64_t number, char half) {
  const std::string digits = std::to_string(number);
  return std::string(12 - digits.size(), '0') + digits + half;
}

/// Gives batches from `next` on, two keys each, and tells the number of each that is acknowledged.
void give(const std::filesystem::path& path, std::uint64_t next, const ChildProcess::Voice& voice) {
  KvStore store(Database::open({.path = path, .map_reserve_bytes = 1U << 20U}), "kv");
  std::deque<std::future<void>> given;
  for (std::uint64_t acknowledged = next;; ++next) {
    WriteBatch batch;
    for (const char half : {'a', 'b'}) batch.put(key_of(next, half), as_bytes(std::string(next % 500, 'v')));
    given.push_back(store.write_async(std::move(batch)));
    while (given.size() > in_flight || given.front().wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      given.front().get();
      given.pop_front();
      voice.tell(acknowledged++);
      if (given.empty()) break;
    }
  }
}

TEST(WriteAsyncKill, WhatFuturesAcknowledgedIsThereWholeAndInOrder) {
  constexpr int rounds = 30;
  const TemporaryDirectory directory;
  const auto path = directory.path() / "store";
  std::mt19937_64 random(test_seed());
  std::uint64_t next = 0;
  int acknowledging = 0;
  for (int round = 0; round < rounds; ++round) {
    std::optional<std::uint64_t> acknowledged;
    {
      ChildProcess child([&](const ChildProcess::Voice& voice) { give(path, next, voice); });
      acknowledged = child.hear();
      std::thread killer([&, pause = std::chrono::microseconds(random() % 20'000)] {
        std::this_thread::sleep_for(pause);
        child.kill();
      });
      while (const auto number = child.hear()) acknowledged = number;
      killer.join();
    }
    acknowledging += acknowledged ? 1 : 0;
    const auto db = Database::open({.path = path});
    ASSERT_TRUE(db->check().findings.empty()) << "round " << round;
    std::uint64_t number = 0;
    char half = 'a';
    for (const ByteEntry& entry : KvStore(db, "kv").range()) {
      ASSERT_EQ(to_text(entry.key), key_of(number, half)) << "round " << round << ": one is missing before it";
      ASSERT_EQ(entry.value.size(), number % 500);
      if (half == 'b') ++number;
      half = half == 'a' ? 'b' : 'a';
    }
    ASSERT_EQ(half, 'a') << "round " << round << ": a batch is half there";
    if (acknowledged) {
      ASSERT_GT(number, *acknowledged) << "round " << round << ": it was acknowledged";
    }
    next = number;
  }
  EXPECT_GT(acknowledging, rounds / 2);
}

}  // namespace
}  // namespace holdfast::testing
