#include "holdfast/db/bulk_load.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "holdfast/db/typed_table.hpp"
#include "holdfast/seal/checksum.hpp"

namespace holdfast {
namespace {

using testing::refused_with;
using Texts = Table<std::string, std::string>;
using Rows = std::map<std::string, std::string>;

constexpr int many = 20'000;  // more than a batch holds

class BulkLoad : public testing::DbTest {
 protected:
  static std::string key(int number) { return "key" + std::to_string(100'000 + number); }
  /// Keys from `first`, each `step` above the one before it.
  static Rows rows(int count, const std::string& value, int first = 0, int step = 1) {
    Rows result;
    for (int i = 0; i < count; ++i) result.emplace(key(first + i * step), value + std::to_string(i));
    return result;
  }
  [[nodiscard]] Rows stored(const Texts& table) const {
    return db_->view([&](const ReadTransaction& txn) { return read(table, txn); });
  }
  static Rows read(const Texts& table, const Transaction& txn) {
    Rows result;
    for (const auto& [key, value] : table.range(txn)) result.emplace(key, value);
    EXPECT_EQ(table.count(txn), result.size());
    return result;
  }
  void expect_sound() const {
    const CheckReport report = db_->check();
    EXPECT_TRUE(report.is_sound()) << report.findings.front().describe();
  }

  std::shared_ptr<Database> db_ = open();
  Texts table_{*db_, "t"};
};

TEST_F(BulkLoad, FillsANewTableWithEveryEntryInFullPages) {
  const Rows wanted = rows(many, std::string(80, 'v'));
  const auto loaded = db_->update([&](WriteTransaction& txn) { return table_.load_sorted(txn, wanted); });
  EXPECT_EQ(loaded, wanted.size());
  EXPECT_EQ(stored(table_), wanted);
  expect_sound();

  std::uint64_t bytes = 0;
  for (const auto& [key, value] : wanted) bytes += key.size() + value.size() + 10;  // LMDB's own part of a row
  EXPECT_LT(std::filesystem::file_size(path() / "data.mdb"), bytes + bytes / 10);
}

TEST_F(BulkLoad, OfNothingMakesNoTable) {
  EXPECT_EQ(db_->update([&](WriteTransaction& txn) { return table_.load_sorted(txn, Rows()); }), 0U);
  EXPECT_TRUE(db_->tables().empty());
}

TEST_F(BulkLoad, AmongKeysThatAreThereItMergesAndReplaces) {
  Rows wanted = rows(many / 2, "old", 0, 2);
  db_->update([&](WriteTransaction& txn) { table_.load_sorted(txn, wanted); });
  const Rows added = rows(many, "new", 0, 3);  // every second of them replaces, the last third is appended
  db_->update([&](WriteTransaction& txn) {
    EXPECT_EQ(table_.load_sorted(txn, added), added.size());
    for (const auto& [key, value] : added) wanted[key] = value;
    EXPECT_EQ(read(table_, txn), wanted);
  });
  EXPECT_EQ(stored(table_), wanted);
  expect_sound();
}

TEST_F(BulkLoad, WhatWasWrittenBeforeAndAfterItCountsInThatOrder) {
  db_->update([&](WriteTransaction& txn) { table_.put(txn, "erased by clear", "x"); });
  Rows wanted = rows(many, "loaded");
  db_->update([&](WriteTransaction& txn) {
    table_.clear(txn);
    table_.put(txn, key(7), "before");
    table_.put(txn, key(many + 7), "before");
    table_.load_sorted(txn, wanted);
    wanted[key(many + 7)] = "before";
    EXPECT_EQ(table_.get(txn, key(7)), wanted.at(key(7)));
    table_.put(txn, key(8), "after");
    EXPECT_TRUE(table_.erase(txn, key(9)));
    wanted[key(8)] = "after";
    wanted.erase(key(9));
    EXPECT_EQ(read(table_, txn), wanted);
  });
  EXPECT_EQ(stored(table_), wanted);
  expect_sound();
}

TEST_F(BulkLoad, AKeyThatIsNotAboveTheOneBeforeItIsNamedAndNothingIsWritten) {
  for (const int before : {1, many}) {
    for (const int next : {before - 1, 0}) {  // again; long behind
      const auto load = [&](WriteTransaction& txn) {
        BulkLoader loader(txn, table_.bytes());
        for (int i = 0; i < before; ++i) loader.append(as_bytes(key(i)), as_bytes("value of some length"));
        loader.append(as_bytes(key(next)), as_bytes("v"));
      };
      try {
        db_->update(load);
        ADD_FAILURE() << "loaded " << key(next) << " after " << key(before - 1);
      } catch (const ConflictError& error) {
        EXPECT_EQ(error.facts().key, key(next));
      }
      // Nor by one who goes on: there is no transaction any more.
      EXPECT_EQ(refused_with([&] {
                  db_->update([&](WriteTransaction& txn) {
                    EXPECT_THROW(load(txn), ConflictError);
                    EXPECT_EQ(refused_with([&] { table_.put(txn, "k", "v"); }), State::closed);
                  });
                }),
                State::closed);
      EXPECT_TRUE(db_->tables().empty());
    }
  }
  expect_sound();
}

TEST_F(BulkLoad, WhatIsThrownMeanwhilePassesUnchangedAndNothingIsWritten) {
  struct Mine {
    int row;
  };
  for (const int last : {3, many}) {
    try {
      db_->update([&](WriteTransaction& txn) {
        table_.put(txn, "mine", "v");
        BulkLoader loader(txn, table_.bytes());
        for (int i = 0; i < last; ++i) loader.append(as_bytes(key(i)), as_bytes("value of some length"));
        throw Mine{last};
      });
    } catch (const Mine& mine) {
      EXPECT_EQ(mine.row, last);
    }
    EXPECT_TRUE(db_->tables().empty());
  }
  db_->update([&](WriteTransaction& txn) { table_.load_sorted(txn, rows(many, "v")); });
  EXPECT_EQ(stored(table_).size(), std::size_t{many});
}

TEST_F(BulkLoad, KeysAndValuesBeyondTheLimitsAreRefused) {
  EXPECT_THROW(db_->update([&](WriteTransaction& txn) {
    table_.load_sorted(txn, Rows{{std::string(512, 'k'), ""}});
  }),
               LimitError);
  EXPECT_TRUE(db_->tables().empty());
  const Rows odd{{"", "empty"}, {std::string("\0\0", 2), "zeros"}, {std::string(511, '\xFF'), ""}};
  db_->update([&](WriteTransaction& txn) { table_.load_sorted(txn, odd); });
  EXPECT_EQ(stored(table_), odd);
}

TEST_F(BulkLoad, InASavepointItIsRefusedAndTheTransactionGoesOn) {
  db_->update([&](WriteTransaction& txn) {
    txn.savepoint([&] {
      EXPECT_EQ(refused_with([&] { table_.load_sorted(txn, Rows{{"a", "1"}}); }), State::in_use);
      table_.put(txn, "b", "2");
    });
  });
  EXPECT_EQ(stored(table_), (Rows{{"b", "2"}}));
}

TEST_F(BulkLoad, ASavepointOpenedMeanwhileIsRefusedAtTheNextBatch) {
  EXPECT_EQ(refused_with([&] {
              db_->update([&](WriteTransaction& txn) {
                BulkLoader loader(txn, table_.bytes());
                txn.savepoint([&] {
                  for (int i = 0; i < many; ++i) loader.append(as_bytes(key(i)), as_bytes("value of some length"));
                });
              });
            }),
            State::in_use);
  EXPECT_TRUE(db_->tables().empty());
}

TEST_F(BulkLoad, OnceFinishedTheLoaderTakesNoMore) {
  db_->update([&](WriteTransaction& txn) {
    BulkLoader loader(txn, table_.bytes());
    loader.append(as_bytes("a"), as_bytes("1"));
    EXPECT_EQ(loader.finish(), 1U);
    EXPECT_EQ(refused_with([&] { loader.append(as_bytes("b"), as_bytes("2")); }), State::closed);
    EXPECT_EQ(refused_with([&] { static_cast<void>(loader.finish()); }), State::closed);
  });
  EXPECT_EQ(stored(table_), (Rows{{"a", "1"}}));
}

TEST_F(BulkLoad, DestroyedUnfinishedItEndsTheTransaction) {
  EXPECT_EQ(refused_with([&] {
              db_->update(
                  [&](WriteTransaction& txn) { BulkLoader(txn, table_.bytes()).append(as_bytes("a"), as_bytes("1")); });
            }),
            State::closed);
  EXPECT_TRUE(db_->tables().empty());
}

TEST_F(BulkLoad, ATransactionThatEndsMeanwhileIsAStateError) {
  EXPECT_EQ(refused_with([&] {
              CommittableTransaction txn = db_->begin_write();
              BulkLoader loader(txn, table_.bytes());
              for (int i = 0; i < many; ++i) {
                if (i == many / 2) txn.commit();
                loader.append(as_bytes(key(i)), as_bytes("value of some length"));
              }
            }),
            State::closed);
  const Rows found = stored(table_);  // a load cannot keep its caller from committing what it has
  EXPECT_LT(found.size(), std::size_t{many} / 2);
  expect_sound();
}

TEST_F(BulkLoad, RowsMayComeFromTheTransactionThatTheyAreLoadedInto) {
  const Texts copy(*db_, "copy"), lent(*db_, "lent");
  const Rows wanted = rows(many, std::string(40, 'v'));
  db_->update([&](WriteTransaction& txn) {
    table_.load_sorted(txn, wanted);
    copy.load_sorted(txn, table_.range(txn));
    BulkLoader loader(txn, lent.bytes());
    for (const LentEntry& entry : table_.bytes().scan_lent(txn)) loader.append(entry.key, entry.value);
    loader.finish();
    EXPECT_EQ(read(copy, txn), wanted);
  });
  EXPECT_EQ(stored(copy), wanted);
  EXPECT_EQ(stored(lent), wanted);
  expect_sound();
}

TEST_F(BulkLoad, WhatIsWrittenMeanwhileIsKept) {
  const Texts other(*db_, "other");
  const Rows wanted = rows(many, "v");
  db_->update([&](WriteTransaction& txn) {
    std::uint64_t seen = 0;
    BulkLoader loader(txn, table_.bytes());
    for (const auto& [key, value] : wanted) {
      other.put(txn, key, value);
      seen = std::max(seen, table_.count(txn));
      loader.append(as_bytes(key), as_bytes(value));
    }
    loader.finish();
    EXPECT_GT(seen, 0U);
  });
  EXPECT_EQ(stored(table_), wanted);
  EXPECT_EQ(stored(other), wanted);
}

TEST_F(BulkLoad, OfASealedTableIsSealed) {
  const TableOptions sealed{.seal = std::make_shared<ChecksumSeal>()};
  const Texts table(*db_, "sealed", sealed);
  const Rows wanted = rows(many, std::string(30, 's'));
  db_->update([&](WriteTransaction& txn) { table.load_sorted(txn, wanted); });
  EXPECT_EQ(stored(table), wanted);
  expect_sound();
  EXPECT_EQ(refused_with(
                [&] { db_->update([&](WriteTransaction& txn) { Texts(*db_, "sealed").load_sorted(txn, wanted); }); }),
            State::mismatched);
}

TEST_F(BulkLoad, OverEntriesThatExpireTheyLiveForEver) {
  const Texts table(*db_, "expiring", {.expiry = Expiry::per_entry});
  const Rows wanted = rows(many, "v");
  db_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < many; i += 7)
      table.bytes().put(txn, as_bytes(key(i)), as_bytes("old"), std::chrono::hours(i + 1));
  });
  db_->update([&](WriteTransaction& txn) { table.load_sorted(txn, wanted); });
  EXPECT_EQ(stored(table), wanted);
  db_->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(table.bytes().ttl(txn, as_bytes(key(7))), std::chrono::milliseconds::max());
  });
  expect_sound();
}

TEST_F(BulkLoad, TypedKeysComeInTheOrderOfTheirValues) {
  const Table<std::int64_t, std::string> table(*db_, "numbers");
  const std::map<std::int64_t, std::string> wanted{{-5, "a"}, {0, "b"}, {300, "c"}};
  db_->update([&](WriteTransaction& txn) { table.load_sorted(txn, wanted); });
  std::map<std::int64_t, std::string> found;
  db_->view([&](const ReadTransaction& txn) {
    for (const auto& [key, value] : table.range(txn)) found.emplace(key, value);
  });
  EXPECT_EQ(found, wanted);
}

TEST_F(BulkLoad, ASmallOneGrowsTheStoreAndALargeOneSaysThatItCannot) {
  const auto small =
      Database::open({.path = path("small"), .durability = Durability::ordered, .map_reserve_bytes = 1U << 20U});
  const Texts table(*small, "t");
  const std::uint64_t began = small->environment()->map().bytes();
  for (int i = 0; i < 10; ++i)  // none is more than a batch
    small->update(
        [&](WriteTransaction& txn) { table.load_sorted(txn, rows(1'000, std::string(150, 'v'), i * 1'000)); });
  EXPECT_GT(small->environment()->map().bytes(), began);
  EXPECT_EQ(small->view([&](const ReadTransaction& txn) { return table.count(txn); }), 10'000U);
  try {
    small->update([&](WriteTransaction& txn) { table.load_sorted(txn, rows(many, std::string(1'000, 'v'), 50'000)); });
    ADD_FAILURE() << "found room";
  } catch (const LimitError& error) {
    EXPECT_EQ(error.facts().limit, "map_reserve_bytes");
  }
  EXPECT_EQ(small->view([&](const ReadTransaction& txn) { return table.count(txn); }), 10'000U);
  small->update([&](WriteTransaction& txn) { table.put(txn, "k", "v"); });
  EXPECT_TRUE(small->check().is_sound());
}

TEST_F(BulkLoad, RolledBackItLeavesThePagesAsTheyWere) {
  db_->update([&](WriteTransaction& txn) { table_.load_sorted(txn, rows(many, "v")); });
  const auto pages = db_->check().pages_visited;
  for (int i = 0; i < 5; ++i) {
    CommittableTransaction txn = db_->begin_write();
    table_.load_sorted(txn, rows(many, std::string(100, 'w'), many / 2));
    txn.rollback();
  }
  EXPECT_EQ(db_->check().pages_visited, pages);
  EXPECT_EQ(stored(table_), rows(many, "v"));
  expect_sound();
}

}  // namespace
}  // namespace holdfast
