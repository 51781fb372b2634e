// Processes that make a store outgrow every map are killed at any moment, beside one that must follow.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "holdfast/db/database.hpp"
#include "support/child_process.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

using testing::ChildProcess;

constexpr int rounds = 30;
constexpr std::uint64_t writer_count = 2;
constexpr std::uint64_t number_count = 1000;
constexpr std::size_t value_bytes = 150'000;

Bytes value_of(std::uint64_t number) {
  return Bytes(value_bytes, static_cast<std::byte>(number));
}

std::string key_of(std::uint64_t number) {
  return std::to_string(10'000'000 + number);
}

DatabaseOptions small(const std::filesystem::path& path) {
  return {.path = path,
          .durability = Durability::ordered,
          .map_reserve_bytes = std::uint64_t{1} << 20U,
          .busy_timeout = std::chrono::minutes(5)};
}

[[noreturn]] void grow_until_killed(const std::filesystem::path& path, std::uint64_t first, ChildProcess::Voice voice) {
  const auto db = Database::open(small(path));
  const ByteTable table = db->table("t");
  for (std::uint64_t number = first;; ++number) {
    db->update([&](WriteTransaction& txn) { table.put(txn, as_bytes(key_of(number)), value_of(number)); });
    voice.tell(number);
  }
}

TEST(StoreGrowthCrash, ProcessesKilledWhileTheyGrowAStoreLoseNothingAcknowledgedAndTheOthersFollow) {
  std::mt19937_64 random(testing::test_seed());
  const testing::TemporaryDirectory directory(testing::fast_directory());
  std::uint64_t growths = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto path = directory.path() / std::to_string(round);
    static_cast<void>(Database::open(small(path)));
    std::array<std::unique_ptr<ChildProcess>, writer_count> children;
    for (std::uint64_t i = 0; i < writer_count; ++i)
      children[i] = std::make_unique<ChildProcess>(
          [&](ChildProcess::Voice voice) { grow_until_killed(path, i * number_count, voice); });
    const auto db = Database::open(small(path));
    const ByteTable table = db->table("t");
    const auto count = [&] { return db->view([&](const ReadTransaction& txn) { return table.count(txn); }); };
    while (count() < 5 + random() % 40) std::this_thread::yield();
    std::array<std::uint64_t, writer_count> acknowledged{};
    for (std::uint64_t i = 0; i < writer_count; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 5'000));
      children[i]->kill();
      while (const auto heard = children[i]->hear()) acknowledged[i] = *heard + 1 - i * number_count;
      EXPECT_EQ(children[i]->wait(), 128 + SIGKILL);
    }
    db->update([&](WriteTransaction& txn) { table.put(txn, as_bytes("last"), value_of(0)); });
    const ReadTransaction txn = db->begin_read();
    std::uint64_t found = 1;
    for (std::uint64_t i = 0; i < writer_count; ++i) {
      std::uint64_t number = i * number_count;
      for (; const auto value = table.get(txn, as_bytes(key_of(number))); ++number) {
        ASSERT_EQ(value, value_of(number)) << "round " << round;
        ++found;
      }
      ASSERT_GE(number - i * number_count, acknowledged[i]) << "round " << round << ", writer " << i;
    }
    ASSERT_EQ(found, table.count(txn)) << "round " << round;
    growths += db->stats().growths;
    EXPECT_TRUE(db->check().is_sound()) << "round " << round;
  }
  EXPECT_GT(growths, 0U);
}

}  // namespace
}  // namespace holdfast
