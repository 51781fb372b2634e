#include "holdfast/backend/memory.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

TEST(MemoryBackend, ViewLendsTheStoredBytesThemselves) {
  MemoryBackend backend;
  backend.write("key", as_bytes("value"));
  const std::byte* seen_first = nullptr;
  const std::byte* seen_again = nullptr;
  EXPECT_TRUE(backend.view("key", [&](ByteView bytes) { seen_first = bytes.data(); }));
  EXPECT_TRUE(backend.view("key", [&](ByteView bytes) { seen_again = bytes.data(); }));
  EXPECT_NE(seen_first, nullptr);
  EXPECT_EQ(seen_first, seen_again);
}

TEST(MemoryBackend, ASnapshotSharesTheValuesItShows) {
  MemoryBackend backend;
  backend.write("key", as_bytes("value"));
  const auto snapshot = backend.snapshot();
  backend.write("other", as_bytes("value"));
  const std::byte* in_backend = nullptr;
  const std::byte* in_snapshot = nullptr;
  backend.view("key", [&](ByteView bytes) { in_backend = bytes.data(); });
  snapshot->view("key", [&](ByteView bytes) { in_snapshot = bytes.data(); });
  EXPECT_EQ(in_backend, in_snapshot);
}

TEST(MemoryBackend, ViewHoldsNoLockWhileItsCallbackRuns) {
  MemoryBackend backend;
  backend.write("key", as_bytes("before"));
  backend.view("key", [&](ByteView bytes) {
    std::thread([&] { backend.write("key", as_bytes("after")); }).join();  // a lock would hang here
    EXPECT_EQ(as_text(bytes), "before");
  });
  EXPECT_EQ(backend.read("key"), to_bytes("after"));
}

TEST(MemoryBackend, LimitsCanBeLoweredAndAreNamedInTheError) {
  MemoryBackend backend({.max_key_bytes = 3, .max_value_bytes = 2, .name = "small"});
  backend.write("abc", as_bytes("12"));
  try {
    backend.write("abc", as_bytes("123"));
    FAIL() << "a value beyond the limit was accepted";
  } catch (const LimitError& error) {
    EXPECT_EQ(error.facts().limit, "max_value_bytes");
    EXPECT_EQ(error.facts().maximum, 2U);
    EXPECT_EQ(error.facts().actual, 3U);
    EXPECT_EQ(error.facts().unit, "bytes");
    EXPECT_NE(error.facts().where.find("small"), std::string::npos);
  }
  EXPECT_THROW(backend.write("abcd", {}), LimitError);
  EXPECT_EQ(backend.read("abc"), to_bytes("12"));
}

TEST(MemoryBackend, LimitsBeyondTheLibrarysAreRefused) {
  EXPECT_THROW(MemoryBackend({.max_key_bytes = limits::max_key_bytes + 1}), OptionError);
  EXPECT_THROW(MemoryBackend({.max_value_bytes = limits::max_value_bytes + 1}), OptionError);
}

TEST(MemoryBackendThreads, ReadersAlwaysSeeWholeBatchesWhileWritersCompete) {
  constexpr int rounds = 300;
  MemoryBackend backend;
  backend.apply(WriteBatch().put("left", as_bytes("0")).put("right", as_bytes("0")));
  std::atomic<int> writers_left = 2;
  std::atomic<int> torn = 0;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (int round = 0; round < rounds; ++round) {
        const std::string value = std::to_string(writer) + ":" + std::to_string(round);
        backend.apply(WriteBatch().put("left", as_bytes(value)).erase("gone").put("right", as_bytes(value)));
      }
      --writers_left;
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      while (writers_left > 0) {
        const auto snapshot = backend.snapshot();
        if (snapshot->read("left") != snapshot->read("right")) ++torn;
        Bytes first;
        for (const Entry& entry : backend.scan({})) {
          if (first.empty()) first = entry.value;
          if (entry.value != first) ++torn;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
}

TEST(MemoryBackendThreads, RacingWritersLoseNoUpdateThatAPreconditionGuards) {
  constexpr int increments = 100;
  constexpr int writers = 4;
  MemoryBackend backend;
  backend.write("counter", as_bytes("0"));
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&] {
      for (int done = 0; done < increments;) {
        const Bytes seen = backend.read("counter").value_or(Bytes());
        const std::string next = std::to_string(std::stoi(to_text(seen)) + 1);
        try {
          backend.apply(WriteBatch().require_value("counter", seen).put("counter", as_bytes(next)));
          ++done;
        } catch (const ConflictError&) {
          std::this_thread::yield();  // somebody else counted: read again
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backend.read("counter"), to_bytes(std::to_string(increments * writers)));
}

}  // namespace
}  // namespace holdfast
