#include <stdexcept>
#include <string>
#include <vector>

#include "db_fixture.hpp"
#include "holdfast/db/migrate.hpp"
#include "holdfast/db/typed_table.hpp"

namespace holdfast {
namespace {

using testing::refused_with;

struct Failure {};

class Savepoint : public testing::DbTest {
 protected:
  std::shared_ptr<Database> db_ = open();
  Table<std::string, std::string> table_{*db_, "t"};

  [[nodiscard]] Content rows(const Transaction& txn) const {
    Content all;
    for (const auto& [key, value] : table_.range(txn)) all.emplace(key, value);
    return all;
  }
  [[nodiscard]] Content rows() const {
    return db_->view([&](const ReadTransaction& txn) { return rows(txn); });
  }
  [[nodiscard]] DatabaseOptions small() const {
    auto small = options("small");
    small.write_set_bytes = 20'000;
    return small;
  }
};

TEST_F(Savepoint, ThatFailsTakesBackItsWritesAloneAndPassesTheExceptionUnchanged) {
  db_->update([&](WriteTransaction& txn) {
    table_.put(txn, "before", "1");
    table_.put(txn, "overwritten", "1");
    table_.put(txn, "erased", "1");
  });
  db_->update([&](WriteTransaction& txn) {
    table_.put(txn, "mine", "1");
    table_.put(txn, "mine too", "1");
    try {
      txn.savepoint([&] {
        table_.put(txn, "overwritten", "2");
        table_.put(txn, "overwritten", "3");
        table_.erase(txn, "erased");
        table_.put(txn, "mine", "2");
        table_.erase(txn, "mine too");
        table_.put(txn, "new", "2");
        table_.clear(txn);
        table_.put(txn, "newer", "2");
        throw std::out_of_range("mine");
      });
      FAIL() << "swallowed";
    } catch (const std::out_of_range& error) {
      EXPECT_STREQ(error.what(), "mine");
    }
    table_.put(txn, "after", "1");
  });
  EXPECT_EQ(
      rows(),
      (Content{
          {"after", "1"}, {"before", "1"}, {"erased", "1"}, {"mine", "1"}, {"mine too", "1"}, {"overwritten", "1"}}));
}

TEST_F(Savepoint, ATableMadeAfterOneThatWasTakenBackIsStoredInItsOwnPlace) {
  const Table<std::string, std::string> lost(*db_, "lost");
  const Table<std::string, std::string> next(*db_, "next");
  db_->update([&](WriteTransaction& txn) { table_.put(txn, "k", "v"); });
  db_->update([&](WriteTransaction& txn) {
    EXPECT_THROW(txn.savepoint([&] {
      db_->drop_table(txn, "t");
      lost.put(txn, "k", "lost");  // where "t" was
      throw Failure{};
    }),
                 Failure);
    next.put(txn, "k", "w");
  });
  EXPECT_EQ(rows(), (Content{{"k", "v"}}));
  EXPECT_EQ(db_->view([&](const ReadTransaction& txn) { return next.get(txn, "k"); }), "w");
  EXPECT_TRUE(db_->check().findings.empty());
}

TEST_F(Savepoint, ReturnsWhatItsFunctionReturnsAndKeepsItsWrites) {
  db_->update([&](WriteTransaction& txn) {
    EXPECT_EQ(txn.savepoint([&] {
      table_.put(txn, "k", "v");
      return 7;
    }),
              7);
  });
  EXPECT_EQ(rows(), (Content{{"k", "v"}}));
}

TEST_F(Savepoint, NestsAndTheInnerOneFailsAlone) {
  db_->update([&](WriteTransaction& txn) {
    txn.savepoint([&] {
      table_.put(txn, "outer", "1");
      EXPECT_THROW(txn.savepoint([&] {
        table_.put(txn, "outer", "2");
        txn.savepoint([&] { table_.put(txn, "kept inside what fails", "2"); });
        throw Failure{};
      }),
                   Failure);
      EXPECT_EQ(table_.get(txn, "outer"), "1");
      txn.savepoint([&] { table_.put(txn, "inner", "1"); });
    });
    EXPECT_THROW(txn.savepoint([&] {
      txn.savepoint([&] { table_.put(txn, "inner", "kept inside what fails"); });
      throw Failure{};
    }),
                 Failure);
  });
  EXPECT_EQ(rows(), (Content{{"inner", "1"}, {"outer", "1"}}));
}

TEST_F(Savepoint, LeavesViewsAndIteratorsFromBeforeItGood) {
  db_->update([&](WriteTransaction& txn) { table_.put(txn, "stored", "from the store"); });
  db_->update([&](WriteTransaction& txn) {
    for (const char* key : {"a", "b", "c", "d"}) table_.put(txn, key, "from the set");
    const ByteView stored = *table_.view(txn, "stored");
    const ByteView written = *table_.view(txn, "b");
    auto range = table_.range(txn);
    auto at = range.begin();
    EXPECT_EQ(at->key, "a");
    EXPECT_THROW(txn.savepoint([&] {
      for (int i = 0; i < 1000; ++i) table_.put(txn, "a" + std::to_string(i), "x");
      ++at;
      EXPECT_EQ(at->key, "a0");
      throw Failure{};
    }),
                 Failure);
    EXPECT_EQ(as_text(stored), "from the store");
    EXPECT_EQ(as_text(written), "from the set");
    ++at;  // what it stood on is gone
    EXPECT_EQ(at->key, "b");
  });
}

TEST_F(Savepoint, RefusesTheCommitOfItsTransaction) {
  CommittableTransaction txn = db_->begin_write();
  txn.savepoint([&] {
    table_.put(txn, "k", "v");
    EXPECT_EQ(refused_with([&] { txn.commit(); }), State::in_use);
  });
}

TEST_F(Savepoint, InWhichTheTransactionIsRolledBackHasNothingToTakeBack) {
  db_->update([&](WriteTransaction& txn) {
    txn.savepoint([&] {
      table_.put(txn, "k", "v");
      txn.rollback();
    });
    EXPECT_EQ(refused_with([&] { txn.savepoint([] {}); }), State::closed);
  });
  EXPECT_TRUE(rows().empty());
}

TEST_F(Savepoint, NeverSpillsAndMeetsTheLimitInstead) {
  const auto db = Database::open(small());
  const Table<std::string, std::string> table(*db, "t");
  db->update([&](WriteTransaction& txn) {
    table.put(txn, "before", "v");
    try {
      txn.savepoint([&] {
        for (int i = 0;; ++i) table.put(txn, std::to_string(i), std::string(1000, 'x'));
      });
    } catch (const LimitError& error) {
      EXPECT_EQ(error.facts().limit, "write_set_bytes");
      EXPECT_EQ(error.facts().maximum, 20'000U);
    }
    EXPECT_EQ(table.count(txn), 1U);
    for (int i = 0; i < 100; ++i) table.put(txn, std::to_string(i), std::string(1000, 'x'));
  });
  EXPECT_EQ(db->view([&](const ReadTransaction& txn) { return table.count(txn); }), 101U);
}

class Spilling : public Savepoint {
 protected:
  static std::string key(int number) { return std::to_string(100'000 + number); }

  std::shared_ptr<Database> small_ = Database::open(small());
  Table<std::string, std::string> large_{*small_, "large"};
};

TEST_F(Spilling, ALargeTransactionIsStillWholeOrNothing) {
  const auto fill = [&](WriteTransaction& txn) {
    for (int i = 0; i < 2000; ++i) large_.put(txn, key(i), std::string(100, 'v'));
    for (int i = 0; i < 2000; i += 2) EXPECT_TRUE(large_.erase(txn, key(i)));
    EXPECT_EQ(large_.count(txn), 1000U);
  };
  {
    CommittableTransaction txn = small_->begin_write();
    fill(txn);
    EXPECT_EQ(small_->view([&](const ReadTransaction& other) { return large_.count(other); }), 0U);
    txn.rollback();
  }
  EXPECT_TRUE(small_->tables().empty());
  small_->update(fill);
  small_->view([&](const ReadTransaction& txn) {
    int next = 1;
    for (const auto& entry : large_.range(txn)) {
      EXPECT_EQ(entry.key, key(next));
      next += 2;
    }
    EXPECT_EQ(next, 2001);
  });
  EXPECT_TRUE(small_->check().findings.empty());
}

TEST_F(Spilling, IterationNeitherSkipsNorRepeatsAcrossIt) {
  small_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 1000; ++i) large_.put(txn, key(i), std::string(100, 'v'));
  });
  small_->update([&](WriteTransaction& txn) {
    int seen = 0;
    for (const auto& entry : large_.range(txn)) {
      EXPECT_EQ(entry.key, key(seen++));
      EXPECT_TRUE(large_.erase(txn, entry.key));
      large_.put(txn, "0" + entry.key, std::string(50, 'w'));
    }
    EXPECT_EQ(seen, 1000);
    for (const auto& entry : large_.reverse(txn)) EXPECT_EQ(entry.key, "0" + key(--seen));
    EXPECT_EQ(seen, 0);
    EXPECT_EQ(large_.erase_range(txn, {}), 1000U);
  });
  EXPECT_EQ(small_->view([&](const ReadTransaction& txn) { return large_.count(txn); }), 0U);
}

TEST_F(Spilling, TablesMadeDroppedAndMadeAgainComeOutRight) {
  const Table<std::string, std::string> other(*small_, "other");
  small_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 500; ++i) large_.put(txn, key(i), std::string(100, 'v'));
    EXPECT_TRUE(small_->drop_table(txn, "large"));
    for (int i = 0; i < 500; ++i) other.put(txn, key(i), std::string(100, 'w'));
    large_.put(txn, "anew", "v");
    EXPECT_TRUE(small_->rename_table(txn, "other", "renamed"));
    EXPECT_THROW(txn.savepoint([&] {
      large_.clear(txn);
      small_->drop_table(txn, "renamed");
      throw Failure{};
    }),
                 Failure);
  });
  const auto tables = small_->tables();
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].count, 1U);
  EXPECT_EQ(tables[1].name, "renamed");
  EXPECT_EQ(tables[1].count, 500U);
  EXPECT_TRUE(small_->check().findings.empty());
}

TEST_F(Spilling, AMigrationThatMeetsTheReservationPassesTheErrorAndLeavesTheTableAsItWas) {
  auto tight = options("tight");
  tight.map_reserve_bytes = 1U << 20U;
  tight.write_set_bytes = 20'000;
  const auto db = Database::open(tight);
  const Table<std::string, std::string> old(*db, "t");
  const Table<std::string, std::string> next(*db, "t", {.schema_version = 1});
  db->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 100; ++i) old.put(txn, key(i), "v");
  });
  const auto larger = [](const auto& entry) {
    return TableEntry<std::string, std::string>{entry.key, std::string(50'000, 'w')};
  };
  try {
    db->update([&](WriteTransaction& txn) { migrate(txn, old, next, larger); });
    FAIL() << "5 MB in a map of 1 MB";
  } catch (const LimitError& error) {
    EXPECT_EQ(error.facts().limit, "map_reserve_bytes");
  }
  EXPECT_EQ(db->view([&](const ReadTransaction& txn) { return old.count(txn); }), 100U);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(Spilling, AbortedTransactionsLeaveThePagesAsTheyWere) {
  const auto pages = [](const Database& db) {
    const CheckReport report = db.check();
    EXPECT_TRUE(report.findings.empty());
    return std::pair(report.pages_visited, report.free_pages);
  };
  for (const auto& db : {small_, db_}) {
    const Table<std::string, std::string> table(*db, "large");
    db->update([&](WriteTransaction& txn) { table.put(txn, "k", "v"); });
    const auto before = pages(*db);
    const auto size = std::filesystem::file_size(db->path() / "data.mdb");
    for (int round = 0; round < 100; ++round) {
      CommittableTransaction txn = db->begin_write();
      for (int i = 0; i < 500; ++i) table.put(txn, key(i), std::string(100, 'v'));
    }
    EXPECT_EQ(pages(*db), before);
    EXPECT_EQ(std::filesystem::file_size(db->path() / "data.mdb"), size);
  }
}

}  // namespace
}  // namespace holdfast
