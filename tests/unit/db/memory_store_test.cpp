#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "db_fixture.hpp"
#include "holdfast/backend/lmdb.hpp"
#include "support/child_process.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::ChildProcess;
using testing::refused_with;

class InMemory : public testing::DbTest {
 protected:
  InMemory() { fs::create_directory(place()); }

  [[nodiscard]] fs::path place() const { return path("place"); }
  [[nodiscard]] DatabaseOptions here() const { return {.path = place(), .map_reserve_bytes = 1U << 30U}; }
  [[nodiscard]] std::shared_ptr<Database> open_here() const { return Database::open_in_memory(here()); }
  [[nodiscard]] std::ptrdiff_t names() const { return std::distance(fs::directory_iterator(place()), {}); }
};

TEST_F(InMemory, IsAStoreWithoutANameAnywhere) {
  const auto db = open_here();
  EXPECT_EQ(names(), 0);
  put(*db, "t", "k", "v");
  EXPECT_EQ(get(*db, "t", "k"), "v");
  EXPECT_FALSE(fs::exists(db->path()));
}

TEST_F(InMemory, LiesInSharedMemoryUnlessToldOtherwise) {
  const auto db = Database::open_in_memory();
  put(*db, "t", "k", "v");
  EXPECT_EQ(db->path().parent_path(), "/dev/shm");
  EXPECT_FALSE(fs::exists(db->path()));
}

TEST_F(InMemory, CommitsAndBackendSayThatNothingSurvivesTheProcess) {
  const auto db = open_here();
  EXPECT_EQ(db->durability(), Durability::unsynced);
  CommittableTransaction txn = db->begin_write();
  db->table("t").put(txn, as_bytes("k"), as_bytes("v"));
  EXPECT_EQ(txn.commit({.durability = Durability::synced}), Durability::unsynced);
  EXPECT_FALSE(LmdbBackend(db).capabilities().persistent);
  db->flush();
  EXPECT_EQ(get(*db, "t", "k"), "v");
}

TEST_F(InMemory, TwoOpeningsAreTwoStores) {
  const auto one = open_here();
  const auto other = open_here();
  EXPECT_NE(one->id(), other->id());
  put(*one, "t", "k", "of one");
  EXPECT_EQ(get(*other, "t", "k"), std::nullopt);
}

TEST_F(InMemory, LivesUntilItsLastTransactionEnds) {
  auto db = open_here();
  put(*db, "t", "k", "v");
  const ByteTable table = db->table("t");
  const ReadTransaction txn = db->begin_read();
  db.reset();
  EXPECT_EQ(to_text(table.get(txn, as_bytes("k")).value()), "v");
}

TEST_F(InMemory, GrowsAsItIsWrittenBeyondItsReservationToo) {
  DatabaseOptions small = here();
  small.map_reserve_bytes = 1U << 20U;
  const auto db = Database::open_in_memory(small);
  for (int i = 0; i < 100; ++i) put(*db, "t", std::to_string(i), std::string(200'000, 'x'));
  EXPECT_EQ(get(*db, "t", "99"), std::string(200'000, 'x'));
}

TEST_F(InMemory, RefusesWhatCannotHoldIt) {
  DatabaseOptions reading = here();
  reading.access = Access::read_only;
  EXPECT_THROW(static_cast<void>(Database::open_in_memory(reading)), OptionError);
  DatabaseOptions missing = here();
  missing.path = place() / "missing";
  try {
    static_cast<void>(Database::open_in_memory(missing));
    FAIL() << "opened in no directory";
  } catch (const IoError& error) {
    EXPECT_EQ(error.facts().error_number, ENOENT);
  }
  EXPECT_EQ(names(), 0);
}

TEST_F(InMemory, OfAProcessThatIsKilledLeavesNothing) {
  ChildProcess child([&](ChildProcess::Voice voice) {
    const auto db = open_here();
    put(*db, "t", "k", "v");
    voice.tell(1);
    for (;;) ::pause();
  });
  ASSERT_TRUE(child.hear());
  child.kill();
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
  EXPECT_EQ(names(), 0);
}

TEST_F(InMemory, KilledWhileItIsOpenedLeavesNothingOnceTheNextIsOpen) {
  std::mt19937_64 random(testing::test_seed());
  int left = 0;
  for (int round = 0; round < 100; ++round) {
    ChildProcess child([&](ChildProcess::Voice voice) {
      voice.tell(1);
      for (;;) static_cast<void>(open_here());
    });
    ASSERT_TRUE(child.hear());
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    child.kill();
    EXPECT_EQ(child.wait(), 128 + SIGKILL);
    left += names() > 0 ? 1 : 0;
    const auto db = open_here();
    ASSERT_EQ(names(), 0) << "round " << round;
  }
  EXPECT_GT(left, 0) << "no kill came in the middle of an opening";
}

TEST_F(InMemory, SweepsNothingThatIsAliveOrNotAStores) {
  fs::create_directory(place() / "holdfast-memory-of-mine");
  std::ofstream(place() / "holdfast-memory-of-mine" / "precious") << "mine";
  static_cast<void>(Database::open({.path = place() / "holdfast-memory-store"}));
  std::vector<std::unique_ptr<ChildProcess>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<ChildProcess>([&](ChildProcess::Voice) {
      for (int round = 0; round < 25; ++round) {
        const auto db = open_here();
        put(*db, "t", "k", "v");
        if (get(*db, "t", "k") != "v") ::_exit(4);
      }
    }));
  }
  for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  EXPECT_TRUE(fs::exists(place() / "holdfast-memory-of-mine" / "precious"));
  EXPECT_TRUE(fs::exists(place() / "holdfast-memory-store" / "data.mdb"));
  EXPECT_EQ(names(), 2);
}

}  // namespace
}  // namespace holdfast
