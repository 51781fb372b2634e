#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "holdfast/backend/lmdb.hpp"
#include "holdfast/db/observer.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

/// Stands still until it is moved.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point now() const override { return {}; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(1h) + std::chrono::milliseconds(moved_ms_.load());
  }
  void move(std::chrono::milliseconds by) { moved_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> moved_ms_{0};
};

class Listener final : public DatabaseObserver {
 public:
  void reader_is_old(const OldestReader& reader, ReaderThreshold passed) noexcept override {
    const std::lock_guard lock(mutex);
    (passed == ReaderThreshold::age ? by_age : by_commits).push_back(reader);
  }
  void map_grew(std::uint64_t from_bytes, std::uint64_t to_bytes) noexcept override {
    const std::lock_guard lock(mutex);
    growths.emplace_back(from_bytes, to_bytes);
  }

  std::mutex mutex;
  std::vector<OldestReader> by_age;
  std::vector<OldestReader> by_commits;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> growths;
};

class StoreFigures : public testing::DbTest {
 protected:
  [[nodiscard]] DatabaseOptions observed() const {
    DatabaseOptions options = this->options();
    options.durability = Durability::ordered;
    options.clock = clock_;
    options.observer = listener_;
    options.old_reader_age = 5s;
    options.old_reader_commits = 10;
    return options;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
};

TEST_F(StoreFigures, AnOldReaderIsReportedOnceForEachThresholdItPasses) {
  const auto db = Database::open(observed());
  put(*db, "t", "k", "v");
  ReadTransaction held = db->begin_read();
  for (int i = 0; i < 9; ++i) put(*db, "t", "k", std::to_string(i));
  EXPECT_TRUE(listener_->by_commits.empty());
  for (int i = 0; i < 5; ++i) put(*db, "t", "k", std::to_string(i));
  ASSERT_EQ(listener_->by_commits.size(), 1U);
  EXPECT_EQ(listener_->by_commits.front().commits, 10U);
  EXPECT_EQ(listener_->by_commits.front().process_id, ::getpid());
  EXPECT_TRUE(listener_->by_age.empty());
  clock_->move(4s);
  put(*db, "t", "k", "after four seconds");
  EXPECT_TRUE(listener_->by_age.empty());
  clock_->move(2s);
  put(*db, "t", "k", "after six");
  put(*db, "t", "k", "and again");
  ASSERT_EQ(listener_->by_age.size(), 1U);
  EXPECT_EQ(listener_->by_age.front().age, 6s);
  held = db->begin_read();  // another reader, and it is old too in time
  clock_->move(5s);
  LmdbBackend(db).write("k", as_bytes("v"));
  ASSERT_EQ(listener_->by_age.size(), 2U);
  EXPECT_EQ(listener_->by_age.back().age, 5s);
  EXPECT_EQ(listener_->by_commits.size(), 1U);
}

TEST_F(StoreFigures, AnOldReaderOfAnotherProcessIsReportedByCommits) {
  static_cast<void>(Database::open(options()));
  testing::ChildProcess child([&](const testing::ChildProcess::Voice& voice) {
    const auto db = open();
    const ReadTransaction held = db->begin_read();
    voice.tell(static_cast<std::uint64_t>(::getpid()));
    for (;;) std::this_thread::sleep_for(1s);
  });
  const auto process = child.hear();
  ASSERT_TRUE(process);
  const auto db = Database::open(observed());
  for (int i = 0; i < 12; ++i) put(*db, "t", "k", std::to_string(i));
  clock_->move(1h);
  put(*db, "t", "k", "v");
  ASSERT_EQ(listener_->by_commits.size(), 1U);
  EXPECT_EQ(listener_->by_commits.front().process_id, static_cast<std::int64_t>(*process));
  EXPECT_FALSE(listener_->by_commits.front().age);
  EXPECT_TRUE(listener_->by_age.empty());
}

TEST_F(StoreFigures, EveryReaderOfOursThatGrowsOldIsReportedAndNotOnlyTheOldest) {
  const auto db = Database::open(observed());
  put(*db, "t", "k", "v");
  const ReadTransaction first = db->begin_read();
  clock_->move(3s);
  put(*db, "t", "k", "w");
  ReadTransaction second = db->begin_read();
  clock_->move(3s);
  put(*db, "t", "k", "x");
  ASSERT_EQ(listener_->by_age.size(), 1U);
  EXPECT_EQ(listener_->by_age.back().age, 6s);
  clock_->move(2s);
  for (int i = 0; i < 3; ++i) put(*db, "t", "k", "y");
  ASSERT_EQ(listener_->by_age.size(), 2U);
  EXPECT_EQ(listener_->by_age.back().age, 5s);
  EXPECT_EQ(listener_->by_age.back().snapshot, listener_->by_age.front().snapshot + 1);
  EXPECT_EQ(listener_->by_age.back().commits, 2U);
  EXPECT_EQ(listener_->by_age.back().process_id, ::getpid());
}

TEST_F(StoreFigures, AnOldReaderBesideAnotherProcesssOfTheSameSnapshotIsReportedByAge) {
  put(*open(), "t", "k", "v");
  const auto hold = [&](const testing::ChildProcess::Voice& voice) {
    const auto db = open();
    const ReadTransaction held = db->begin_read();
    voice.tell(1);
    for (;;) std::this_thread::sleep_for(1s);
  };
  testing::ChildProcess before(hold);
  ASSERT_TRUE(before.hear());
  const auto db = Database::open(observed());
  const ReadTransaction held = db->begin_read();
  testing::ChildProcess after(hold);
  ASSERT_TRUE(after.hear());
  clock_->move(6s);
  EXPECT_EQ(db->stats().oldest_reader->age, 6s);
  put(*db, "t", "k", "w");
  ASSERT_EQ(listener_->by_age.size(), 1U);
  EXPECT_EQ(listener_->by_age.front().age, 6s);
}

TEST_F(StoreFigures, WhoOnlyAsksForTheLastCommitIsNoReaderWhateverHisSlotHeldBefore) {
  DatabaseOptions options = observed();
  options.old_reader_age = 1s;
  const auto db = Database::open(options);
  put(*db, "t", "k", "v");
  detail::ReaderSlots& slots = db->environment()->readers();
  static_cast<void>(db->begin_read());
  detail::ReaderSlot* const entered = slots.enter();  // as last_commit() does
  ASSERT_NE(entered, nullptr);
  clock_->move(1h);
  EXPECT_TRUE(slots.look(clock_->steady_now()).empty());
  put(*db, "t", "k", "w");
  EXPECT_TRUE(listener_->by_age.empty());
  slots.leave(*entered);
}

TEST_F(StoreFigures, AGrowthOfTheMapIsReported) {
  DatabaseOptions options = observed();
  options.map_reserve_bytes = 1U << 20U;
  options.clock = system_clock();
  const auto db = Database::open(options);
  put(*db, "t", "small", "v");
  EXPECT_TRUE(listener_->growths.empty());
  put(*db, "t", "large", std::string(3U << 20U, 'x'));
  put(*db, "t", "small", "w");
  ASSERT_EQ(listener_->growths.size(), 1U);
  EXPECT_EQ(listener_->growths.front().first, 1U << 20U);
  EXPECT_EQ(listener_->growths.front().second, db->stats().map_bytes);
  EXPECT_EQ(db->stats().growths, 1U);
}

TEST_F(StoreFigures, StatsCountReadersAndTellTheOldest) {
  DatabaseOptions options = this->options();
  options.clock = clock_;
  const auto db = Database::open(options);
  put(*db, "t", "k", "v");
  EXPECT_EQ(db->stats().readers, 0U);
  EXPECT_FALSE(db->stats().oldest_reader);
  const std::uint64_t commits = db->stats().commits;
  {
    const ReadTransaction first = db->begin_read();
    clock_->move(2s);
    put(*db, "t", "k", "w");
    const ReadTransaction second = db->begin_read();
    const StoreStats stats = db->stats();
    EXPECT_EQ(stats.readers, 2U);
    EXPECT_GE(stats.reader_slots, 2U);
    EXPECT_EQ(stats.commits, commits + 1);
    ASSERT_TRUE(stats.oldest_reader);
    EXPECT_EQ(stats.oldest_reader->snapshot, commits);
    EXPECT_EQ(stats.oldest_reader->commits, 1U);
    EXPECT_EQ(stats.oldest_reader->process_id, ::getpid());
    EXPECT_EQ(stats.oldest_reader->age, 2s);
  }
  EXPECT_EQ(db->stats().readers, 0U);
}

TEST_F(StoreFigures, APointReadHasItsAgeFromTheFirstLook) {
  DatabaseOptions options = this->options();
  options.clock = clock_;
  const LmdbBackend backend(options);
  const auto& db = backend.database();
  put(*db, "t", "k", "v");
  LmdbBackend(db).write("k", as_bytes("v"));
  EXPECT_TRUE(backend.view("k", [&](ByteView) {
    clock_->move(9s);
    EXPECT_EQ(db->stats().oldest_reader->age, 0s);
    clock_->move(3s);
    EXPECT_EQ(db->stats().oldest_reader->age, 3s);
  }));
}

TEST_F(StoreFigures, StatsTellBytesDepthAndSyncs) {
  const auto db = open();
  const StoreStats before = db->stats();
  EXPECT_EQ(before.map_bytes, options().map_reserve_bytes);
  db->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 2000; ++i) db->table("t").put(txn, as_bytes(std::to_string(i)), Bytes(1000));
  });
  const StoreStats filled = db->stats();
  EXPECT_GT(filled.file_bytes, before.file_bytes + 2'000'000);
  EXPECT_GE(filled.depth, 3U);
  EXPECT_EQ(filled.syncs, before.syncs + 1);
  EXPECT_EQ(filled.growths, 0U);
  db->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 2000; ++i) EXPECT_TRUE(db->table("t").erase(txn, as_bytes(std::to_string(i))));
  });
  EXPECT_GT(db->stats().free_bytes, 2'000'000U);
  EXPECT_LE(db->stats().free_bytes, db->stats().file_bytes);
  db->flush();
  EXPECT_EQ(db->stats().syncs, before.syncs + 3);
}

TEST_F(StoreFigures, StatsTellTheGroupsOfCommits) {
  const auto db = open();
  EXPECT_EQ(db->stats().groups, 0U);
  LmdbBackend backend(db);
  backend.write("a", as_bytes("v"));
  backend.write("b", as_bytes("v"));
  const StoreStats stats = db->stats();
  EXPECT_EQ(stats.groups, 2U);
  EXPECT_EQ(stats.grouped_writes, 2U);
  EXPECT_EQ(stats.largest_group, 1U);
}

}  // namespace
}  // namespace holdfast
