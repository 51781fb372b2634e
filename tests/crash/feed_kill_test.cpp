// Writers and a follower of the change feed, each killed with SIGKILL at random moments and started again: what the
// follower has written down is every commit once, in order.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include "holdfast/holdfast.hpp"
#include "support/child_process.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

constexpr int rounds = 25;

DatabaseOptions at(const std::filesystem::path& path) {
  return {.path = path, .durability = Durability::ordered, .map_reserve_bytes = 1U << 30U};
}

/// Each commit puts two keys, numbered on from what is there.
void write(const std::filesystem::path& path, const ChildProcess::Voice& voice) {
  const auto db = Database::open(at(path));
  const Table<std::uint64_t, std::uint64_t> source(*db, "source", {.feed = Feed::on});
  for (;;) {
    const std::uint64_t number = db->update([&](WriteTransaction& txn) {
      const std::uint64_t next = source.count(txn);
      source.put(txn, next, next);
      source.put(txn, next + 1, next);
      return next / 2 + 1;
    });
    voice.tell(number);
  }
}

/// Writes down each change under its number, with how far it is, in a store of its own: killed between reading the one
/// and committing to the other it reads again.
void follow(const std::filesystem::path& path, const std::filesystem::path& own) {
  const auto db = Database::open(at(path));
  const auto notes = Database::open(at(own));
  const Table<std::uint64_t, Bytes> seen(*notes, "seen");
  for (;;) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    const auto last = notes->view([&](const ReadTransaction& txn) { return seen.last(txn); });
    db->view([&](const ReadTransaction& txn) {
      notes->update([&](WriteTransaction& noting) {
        int taken = 0;
        for (const FeedChange& change : db->changes(txn, last ? last->key : 0)) {
          if (!seen.insert(noting, change.sequence, change.key)) throw std::runtime_error("told twice");
          if (++taken == 37) break;  // in the middle of a commit
        }
      });
    });
  }
}

TEST(FeedKill, AFollowerSeesEveryCommitOnceInOrderAcrossItsOwnRestarts) {
  std::mt19937_64 random(test_seed());
  const TemporaryDirectory scratch;
  const auto store = scratch.path() / "store";
  const auto notes = scratch.path() / "notes";
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < rounds; ++round) {
    ChildProcess writer([&](const ChildProcess::Voice& voice) { write(store, voice); });
    ChildProcess follower([&](const ChildProcess::Voice&) { follow(store, notes); });
    for (std::uint64_t heard = 1 + random() % 30; heard > 0; --heard) acknowledged = writer.hear().value();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
    const bool writer_first = random() % 2 == 0;
    (writer_first ? writer : follower).kill();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
    (writer_first ? follower : writer).kill();
    while (const auto told = writer.hear()) acknowledged = *told;
    ASSERT_EQ(writer.wait(), 128 + SIGKILL);
    ASSERT_EQ(follower.wait(), 128 + SIGKILL) << "round " << round;
  }
  ChildProcess last([&](const ChildProcess::Voice& voice) {
    const auto db = Database::open(at(store));
    const auto noted = Database::open(at(notes));
    const Table<std::uint64_t, std::uint64_t> source(*db, "source");
    const Table<std::uint64_t, Bytes> seen(*noted, "seen");
    if (!db->check().findings.empty() || !noted->check().findings.empty()) throw std::runtime_error("check");
    const ReadTransaction txn = db->begin_read();
    voice.tell(source.count(txn));
    voice.tell(db->feed(txn).last);
    std::uint64_t sequence = 0;
    const ReadTransaction noted_txn = noted->begin_read();
    for (const auto& entry : seen.range(noted_txn)) {
      if (entry.key != ++sequence) throw std::runtime_error("a gap");
      if (source.text_of(sequence - 1) != to_text(entry.value)) throw std::runtime_error("out of order");
    }
    voice.tell(sequence);
  });
  const std::uint64_t rows = last.hear().value();
  EXPECT_GE(rows, 2 * acknowledged);
  EXPECT_EQ(last.hear().value(), rows) << "a change for each put";
  const std::uint64_t followed = last.hear().value();
  EXPECT_GT(followed, 0U);
  EXPECT_LE(followed, rows);
  EXPECT_EQ(last.wait(), 0);
}

}  // namespace
}  // namespace holdfast::testing
