#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "holdfast/backend/lmdb.hpp"
#include "support/child_process.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

using testing::ChildProcess;

constexpr int group_keys = 5;

std::string digits(std::uint64_t number) {
  const std::string text = std::to_string(number);
  return std::string(20 - text.size(), '0') + text;
}

/// A group of keys of one number, as a batch of the backend or as a transaction over two tables; each acknowledged by
/// telling it.
void write_groups(const std::filesystem::path& path, std::uint64_t first, ChildProcess::Voice voice) {
  const auto db = Database::open({.path = path});
  LmdbBackend backend(db);
  for (std::uint64_t number = first;; ++number) {
    const Bytes value(1 + number * 37 % 9000, static_cast<std::byte>(number));
    WriteBatch batch;
    for (int i = 0; i < group_keys; ++i) batch.put(digits(number) + "/" + std::to_string(i), value);
    backend.apply(batch);
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < group_keys; ++i)
        db->table(i % 2 == 0 ? "even" : "odd").put(txn, as_bytes(digits(number) + "/" + std::to_string(i)), value);
      if (number > 20) db->table("even").erase(txn, as_bytes(digits(number - 20) + "/0"));
    });
    voice.tell(number);
  }
}

/// Every group must be whole, in the backend's table and in the transactions'; how many are in both.
std::uint64_t judge_groups(const std::filesystem::path& path) {
  const auto db = Database::open({.path = path});
  const LmdbBackend backend(db);
  std::uint64_t entries = 0;
  for (const Entry& entry : backend.scan({})) {
    const std::uint64_t number = entries / group_keys + 1;
    EXPECT_EQ(entry.key, digits(number) + "/" + std::to_string(entries % group_keys));
    EXPECT_EQ(entry.value, Bytes(1 + number * 37 % 9000, static_cast<std::byte>(number)));
    ++entries;
  }
  EXPECT_EQ(entries % group_keys, 0U);
  const std::uint64_t groups = entries / group_keys;
  return db->view([&](const ReadTransaction& txn) {
    const std::uint64_t odd = db->table("odd").count(txn);
    EXPECT_EQ(odd % 2, 0U);
    const std::uint64_t in_tables = odd / 2;
    EXPECT_TRUE(in_tables == groups || in_tables + 1 == groups) << in_tables << " of " << groups;
    EXPECT_EQ(db->table("even").count(txn), in_tables * 3 - (in_tables > 20 ? in_tables - 20 : 0));
    return in_tables;
  });
}

TEST(LmdbStoreCrash, KilledAtRandomItKeepsWhatWasAcknowledgedAndNoGroupInHalf) {
  std::mt19937_64 random(testing::test_seed());
  const testing::TemporaryDirectory directory;
  const auto path = directory.path() / "store";
  std::uint64_t written = 0;
  for (int round = 0; round < 20; ++round) {
    ChildProcess child([&](ChildProcess::Voice voice) { write_groups(path, written + 1, voice); });
    std::uint64_t acknowledged = written;
    if (round % 4 != 0) {  // every fourth round it is killed while it opens
      if (const auto first = child.hear()) acknowledged = *first;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    child.kill();
    while (const auto number = child.hear()) acknowledged = *number;
    EXPECT_EQ(child.wait(), 128 + SIGKILL);
    written = judge_groups(path);
    ASSERT_GE(written, acknowledged) << "round " << round;
    ASSERT_LE(written, acknowledged + 1) << "round " << round;
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(written, 0U);
}

}  // namespace
}  // namespace holdfast
