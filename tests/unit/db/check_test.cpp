#include "holdfast/db/check.hpp"

#include <atomic>
#include <random>
#include <thread>

#include "db/sole_store.hpp"
#include "db_fixture.hpp"
#include "stored_file.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

using testing::refused_with;
using testing::StoredFile;

std::string described(const CheckReport& report) {
  std::string all = std::to_string(report.more_findings) + " more findings\n";
  for (const CheckFinding& finding : report.findings) all += finding.describe() + "\n";
  return all;
}

class Check : public testing::DbTest {
 protected:
  /// Three tables, a value over several pages, a tree of two levels, and a free list.
  void fill() const {
    const auto db = open();
    const ByteTable many = db->table("many");
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 1500; ++i)
        many.put(txn, as_bytes("key " + std::to_string(10'000 + i)), as_bytes(std::string(20, 'v')));
    });
    put(*db, "big", "a", std::string(30'000, 'x'));
    put(*db, "big", "b", std::string(9'000, 'y'));
    put(*db, "small", "k", "v");
    put(*db, "big", "a", std::string(5'000, 'z'));
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 1500; i += 3) many.erase(txn, as_bytes("key " + std::to_string(10'000 + i)));
    });
  }
  [[nodiscard]] CheckReport checked() const { return check(path()); }
  [[nodiscard]] StoredFile file() const { return StoredFile(path() / "data.mdb"); }
};

TEST_F(Check, OfASoundStoreFindsNothingAndCountsWhatIsThere) {
  fill();
  const CheckReport report = checked();
  EXPECT_TRUE(report.is_sound()) << described(report);
  EXPECT_EQ(report.outcome, Outcome::finished);
  EXPECT_EQ(report.entries, 1000U + 2U + 1U);
  EXPECT_GT(report.free_pages, 0U);
  EXPECT_EQ(report.pages_visited + report.free_pages + 2, file().current().last_page + 1);
  EXPECT_TRUE(report.not_opened.empty());
}

TEST_F(Check, OfAnEmptyStoreFindsNothing) {
  static_cast<void>(open());
  const CheckReport report = checked();
  EXPECT_TRUE(report.is_sound()) << described(report);
  EXPECT_EQ(report.entries, 0U);
}

TEST_F(Check, FindsNothingAfterAnyHistoryOfPutsErasesAndReaders) {
  std::mt19937_64 random(testing::test_seed());
  DatabaseOptions asked = options();
  asked.durability = Durability::ordered;
  const auto db = Database::open(asked);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  std::vector<ReadTransaction> readers;
  for (int commit = 0; commit < 150; ++commit) {
    const ByteTable table = db->table("t" + std::to_string(below(4)));
    db->update([&](WriteTransaction& txn) {
      const std::uint64_t writes = below(200);
      for (std::uint64_t i = 0; i < writes; ++i) {
        const std::string key = std::string(below(30) == 0 ? 480 : 3, 'k') + std::to_string(below(400));
        const std::size_t value_bytes = below(20) == 0 ? below(40'000) : below(200);
        if (below(3) == 0) {
          table.erase(txn, as_bytes(key));
        } else {
          table.put(txn, as_bytes(key), as_bytes(std::string(value_bytes, 'v')));
        }
      }
    });
    if (below(4) == 0) readers.push_back(db->begin_read());
    if (readers.size() > 3) readers.erase(readers.begin());
    if (commit % 10 != 0) continue;
    const CheckReport report = db->check();
    ASSERT_TRUE(report.is_sound()) << described(report);
  }
}

TEST_F(Check, WhileWritersCommitSeesOneState) {
  DatabaseOptions asked = options();
  asked.durability = Durability::ordered;
  const auto db = Database::open(asked);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 400; ++i)
      put(*db, "t" + std::to_string(i % 3), std::to_string(i % 50), std::string(static_cast<std::size_t>(i) * 40, 'x'));
    done = true;
  });
  int checks = 0;
  while (!done || checks == 0) {
    const CheckReport report = db->check();
    EXPECT_TRUE(report.is_sound()) << described(report);
    ++checks;
  }
  writer.join();
}

TEST_F(Check, InPartsVisitsEveryEntryOnceInARoundAndThenBeginsAgain) {
  fill();
  const auto db = open();
  const CheckReport whole = db->check();
  CheckCursor cursor;
  std::uint64_t entries = 0;
  int parts = 0;
  for (; cursor.rounds == 0; ++parts) {
    const CheckReport part = db->check_part(cursor, 10);
    EXPECT_TRUE(part.is_sound()) << described(part);
    EXPECT_LT(part.pages_visited, whole.pages_visited);
    entries += part.entries;
    ASSERT_LT(parts, 1000);
  }
  EXPECT_EQ(entries, whole.entries);
  EXPECT_GT(parts, 3);
  EXPECT_EQ(cursor.tree, "");
}

TEST_F(Check, InPartsGoesOnAlthoughTheBudgetIsOnePageAndTablesChange) {
  fill();
  const auto db = open();
  CheckCursor cursor;
  for (int parts = 0; cursor.rounds < 2; ++parts) {
    put(*db, "many", "key 1" + std::to_string(parts), "new");
    ASSERT_TRUE(db->check_part(cursor, 1).is_sound());
    ASSERT_LT(parts, 1000);
  }
}

TEST_F(Check, InPartsFindsTheDamageThatIsInThePart) {
  fill();
  StoredFile damaged = file();
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("table.1").root, "key 11001").value();
  damaged.bytes(leaf)[40] ^= 0x01;  // where the 13th node lies
  const auto db = open();           // opened before the damage: it looks at roots only
  damaged.store();
  CheckCursor cursor;
  bool found = false;
  for (int parts = 0; cursor.rounds == 0 && parts < 1000; ++parts) {
    const CheckReport part = db->check_part(cursor, 3);
    for (const CheckFinding& finding : part.findings) {
      EXPECT_EQ(finding.table, "many");
      EXPECT_EQ(finding.page, leaf);
      found = true;
    }
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(cursor.rounds, 1U);
}

TEST_F(Check, ByPathIsRefusedWhileTheStoreIsOpenAndTheStoreWhileItIsChecked) {
  const auto db = open();
  EXPECT_EQ(refused_with([&] { static_cast<void>(checked()); }), State::in_use);
  EXPECT_TRUE(db->check().is_sound());
}

TEST_F(Check, HoldsTheStoreAlone) {
  static_cast<void>(open());
  const detail::SoleStore alone(path(), system_file_ops());
  EXPECT_EQ(refused_with([&] { static_cast<void>(open()); }), State::in_use);
}

TEST_F(Check, StopsWhenAskedAndTellsHowFarItIs) {
  fill();
  const auto db = open();
  std::stop_source stop;
  CheckOptions asked;
  Progress last;
  asked.work = {.on_progress = [&](const Progress& progress) { last = progress; }, .stop = stop.get_token()};
  EXPECT_EQ(db->check(asked).outcome, Outcome::finished);
  EXPECT_GT(last.total, last.done);
  stop.request_stop();
  EXPECT_EQ(db->check(asked).outcome, Outcome::stopped);
  CheckCursor cursor;
  EXPECT_EQ(db->check_part(cursor, 1000, asked).outcome, Outcome::stopped);
}

TEST_F(Check, KeepsNoMoreFindingsThanAskedForAndCountsTheRest) {
  fill();
  StoredFile damaged = file();
  for (std::uint64_t page = 0; page < damaged.page_count(); ++page)
    if (damaged.is_leaf(page) && damaged.contains(page, "key 1")) damaged.bytes(page)[0] ^= 0x01;
  damaged.store();
  const CheckReport all = checked();
  ASSERT_GT(all.findings.size(), 3U);
  CheckOptions asked;
  asked.max_findings = 3;
  const CheckReport few = check(path(), asked);
  EXPECT_EQ(few.findings.size(), 3U);
  EXPECT_EQ(few.findings.size() + few.more_findings, all.findings.size());
  EXPECT_TRUE(few.is_damaged());
}

TEST_F(Check, OfNoStoreAtAllSaysSo) {
  EXPECT_THROW(static_cast<void>(check(path("nothing"))), IoError);
  std::filesystem::create_directory(path("empty"));
  EXPECT_THROW(static_cast<void>(check(path("empty"))), IoError);
  static_cast<void>(open());
  StoredFile foreign = file();
  foreign.content() = std::string(100'000, 'z');
  foreign.store();
  EXPECT_EQ(refused_with([&] { static_cast<void>(checked()); }), State::foreign);
  foreign.content().clear();
  foreign.store();
  EXPECT_TRUE(checked().is_damaged());
}

}  // namespace
}  // namespace holdfast
