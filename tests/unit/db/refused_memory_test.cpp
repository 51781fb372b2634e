#include <atomic>
#include <cerrno>
#include <new>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db/reader_slots.hpp"
#include "db_fixture.hpp"
#include "faulty_system.hpp"

namespace holdfast {
namespace {

using testing::FaultySystem;
using testing::refused_with;
using testing::SystemCall;

constexpr std::uint64_t mebibyte = 1U << 20U;

class RefusedMemory : public testing::DbTest {
 protected:
  ~RefusedMemory() override { FaultySystem::disarm(); }

  [[nodiscard]] DatabaseOptions small() const {
    return {.path = path(), .durability = Durability::ordered, .map_reserve_bytes = mebibyte};
  }
  static void put_large(Database& db, std::string_view key) { put(db, "t", key, std::string(3 * mebibyte, 'x')); }
};

TEST_F(RefusedMemory, AReservationThatTheSystemDoesNotGrantIsHalvedUntilItDoes) {
  FaultySystem::limit_maps(40 * mebibyte);
  DatabaseOptions options = small();
  options.map_reserve_bytes = std::uint64_t{1} << 40U;
  const auto db = Database::open(options);
  EXPECT_EQ(db->stats().map_bytes, 32 * mebibyte);
  put(*db, "t", "k", "v");
}

TEST_F(RefusedMemory, WithoutAnyAddressSpaceTheOpeningSaysSo) {
  static_cast<void>(Database::open(small()));
  FaultySystem::limit_maps(16 * 1024);
  try {
    static_cast<void>(Database::open(small()));
    FAIL() << "it was opened";
  } catch (const IoError& error) {
    EXPECT_EQ(error.facts().error_number, ENOMEM);
    EXPECT_EQ(error.facts().operation, "mdb_env_open");
  }
  FaultySystem::disarm();
  put(*Database::open(small()), "t", "k", "v");
}

TEST_F(RefusedMemory, AMapThatTheSystemLetsGrowNoFurtherIsALimitErrorAtOnceAndNothingElse) {
  const auto db = Database::open(small());
  put_large(*db, "acknowledged");
  const std::uint64_t map_bytes = db->stats().map_bytes;
  FaultySystem::limit_maps(map_bytes);
  const auto began = std::chrono::steady_clock::now();
  try {
    for (int i = 0; i < 100; ++i) put_large(*db, "refused");
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 10; ++i)
        db->table("t").put(txn, as_bytes(std::to_string(i)), Bytes(3 * mebibyte, std::byte{1}));
    });
    FAIL() << "it grew";
  } catch (const LimitError& error) {
    EXPECT_EQ(error.facts().limit, "map_reserve_bytes");
    EXPECT_EQ(error.facts().maximum, map_bytes);
    EXPECT_NE(error.facts().where.find("the system does not grant more address space"), std::string::npos);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, options().busy_timeout);
  EXPECT_EQ(get(*db, "t", "acknowledged"), std::string(3 * mebibyte, 'x'));
  put(*db, "t", "small", "still fits");
  FaultySystem::disarm();
  for (int i = 0; i < 10; ++i) put_large(*db, std::to_string(i));
  EXPECT_GT(db->stats().map_bytes, map_bytes);
}

TEST_F(RefusedMemory, AMapThatIsLostWhileItGrowsPoisonsUntilTheStoreIsOpenedAnew) {
  auto db = Database::open(small());
  put(*db, "t", "k", "acknowledged");
  static_cast<void>(get(*db, "t", "k"));           // leaves a transaction for the next reader
  FaultySystem::fail(SystemCall::map, 2, ENOMEM);  // the first asks whether there is room for the second
  EXPECT_EQ(refused_with([&] { put_large(*db, "large"); }), State::poisoned);
  ASSERT_TRUE(FaultySystem::disarm());
  EXPECT_EQ(refused_with([&] { static_cast<void>(db->begin_read()); }), State::poisoned);
  EXPECT_EQ(refused_with([&] { static_cast<void>(db->begin_write()); }), State::poisoned);
  EXPECT_EQ(refused_with([&] { static_cast<void>(db->stats()); }), State::poisoned);
  db.reset();
  db = Database::open(small());
  EXPECT_EQ(get(*db, "t", "k"), "acknowledged");
  EXPECT_EQ(get(*db, "t", "large"), std::nullopt);
  put_large(*db, "large");
}

TEST_F(RefusedMemory, ForOneWhoWasLetThroughTheGateLeavesNobodyInside) {
  detail::ReaderSlots slots(limits::max_readers);
  std::vector<detail::ReaderSlot*> taken;
  for (int i = 0; i < 128; ++i) taken.push_back(slots.enter());  // the array: the next needs memory
  slots.close_gate();
  std::atomic<bool> refused = false;
  std::thread reader([&] {
    FaultySystem::fail_aligned_allocation(2);  // the first is for the look at the closed gate
    EXPECT_THROW(static_cast<void>(slots.enter()), std::bad_alloc);
    refused = true;
  });
  while (!refused) {
    slots.admit_waiting();
    std::this_thread::yield();
  }
  reader.join();
  for (detail::ReaderSlot* slot : taken) slots.leave(*slot);
  EXPECT_TRUE(slots.empty());
}

}  // namespace
}  // namespace holdfast
