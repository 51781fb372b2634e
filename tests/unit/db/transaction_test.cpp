#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "db_fixture.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

class DatabaseTransaction : public testing::DbTest {
 protected:
  std::shared_ptr<Database> db_ = open();
  ByteTable table_ = db_->table("t");

  static std::string text(const std::optional<Bytes>& value) { return value ? to_text(*value) : "absent"; }
};

using testing::refused_with;

TEST_F(DatabaseTransaction, UpdateCommitsAndReturnsWhatItsFunctionReturns) {
  const int result = db_->update([&](WriteTransaction& txn) {
    table_.put(txn, as_bytes("k"), as_bytes("v"));
    return 42;
  });
  EXPECT_EQ(result, 42);
  EXPECT_EQ(get(*db_, "t", "k"), "v");
}

TEST_F(DatabaseTransaction, AnExceptionRollsBackAndPassesUnchanged) {
  struct Mine {
    int value;
  };
  try {
    db_->update([&](WriteTransaction& txn) {
      table_.put(txn, as_bytes("k"), as_bytes("v"));
      throw Mine{7};
    });
    FAIL() << "the exception was swallowed";
  } catch (const Mine& mine) {
    EXPECT_EQ(mine.value, 7);
  }
  EXPECT_EQ(get(*db_, "t", "k"), std::nullopt);
  put(*db_, "t", "k", "later");  // the write lock is free
}

TEST_F(DatabaseTransaction, EndedByItsFunctionIsNotCommitted) {
  db_->update([&](WriteTransaction& txn) {
    table_.put(txn, as_bytes("k"), as_bytes("v"));
    txn.rollback();
    txn.rollback();
  });
  EXPECT_EQ(get(*db_, "t", "k"), std::nullopt);
}

template <class T>
concept CommitsItself = requires(T txn) {
  txn.commit();
};

TEST_F(DatabaseTransaction, WhatUpdateLendsCanBeNeitherCommittedNorTaken) {
  static_assert(!CommitsItself<WriteTransaction> && CommitsItself<CommittableTransaction>);
  static_assert(!std::is_move_constructible_v<WriteTransaction>);
  db_->update([&](auto& txn) { static_assert(std::is_same_v<decltype(txn), WriteTransaction&>); });
}

TEST_F(DatabaseTransaction, ACommitTellsTheDurabilityItHasReached) {
  const auto commit = [&](Database& db, const CommitOptions& options) {
    CommittableTransaction txn = db.begin_write();
    table_.put(txn, as_bytes("k"), as_bytes("v"));
    return txn.commit(options);
  };
  DatabaseOptions unsynced = options();
  unsynced.durability = Durability::unsynced;
  const auto other = Database::open(unsynced);
  EXPECT_EQ(commit(*db_, {}), Durability::synced);
  EXPECT_EQ(commit(*db_, {.durability = Durability::ordered}), Durability::ordered);
  EXPECT_EQ(commit(*db_, {.durability = Durability::unsynced}), Durability::ordered);
  EXPECT_EQ(commit(*other, {}), Durability::ordered);
  EXPECT_EQ(commit(*other, {.durability = Durability::synced}), Durability::synced);
  db_->update([&](WriteTransaction& txn) { table_.put(txn, as_bytes("k"), as_bytes("w")); },
              {.durability = Durability::ordered});
  EXPECT_EQ(get(*db_, "t", "k"), "w");
}

TEST_F(DatabaseTransaction, DestroyedWithoutCommitLeavesNothing) {
  {
    CommittableTransaction txn = db_->begin_write();
    table_.put(txn, as_bytes("k"), as_bytes("v"));
  }
  EXPECT_EQ(get(*db_, "t", "k"), std::nullopt);
}

TEST_F(DatabaseTransaction, SeesItsOwnWritesAndOthersDoNotBeforeCommit) {
  put(*db_, "t", "a", "old");
  put(*db_, "t", "b", "old");
  CommittableTransaction txn = db_->begin_write();
  table_.put(txn, as_bytes("a"), as_bytes("new"));
  EXPECT_TRUE(table_.erase(txn, as_bytes("b")));
  EXPECT_FALSE(table_.erase(txn, as_bytes("b")));
  table_.put(txn, as_bytes("c"), {});
  EXPECT_EQ(content(table_, txn), (Content{{"a", "new"}, {"c", ""}}));
  EXPECT_EQ(table_.count(txn), 2U);
  EXPECT_EQ(text(table_.get(txn, as_bytes("c"))), "");
  {
    const ReadTransaction other = db_->begin_read();
    EXPECT_EQ(content(table_, other), (Content{{"a", "old"}, {"b", "old"}}));
    EXPECT_EQ(table_.count(other), 2U);
  }
  txn.commit();
  const ReadTransaction after = db_->begin_read();
  EXPECT_EQ(content(table_, after), (Content{{"a", "new"}, {"c", ""}}));
}

TEST_F(DatabaseTransaction, ASnapshotStaysWhatItWasAlsoWhenTablesAreMade) {
  put(*db_, "t", "k", "1");
  const ReadTransaction before = db_->begin_read();
  put(*db_, "t", "k", "2");
  put(*db_, "made later", "k", "3");
  EXPECT_EQ(text(table_.get(before, as_bytes("k"))), "1");
  EXPECT_EQ(text(db_->table("made later").get(before, as_bytes("k"))), "absent");
  EXPECT_EQ(db_->table("made later").count(before), 0U);
  EXPECT_EQ(get(*db_, "made later", "k"), "3");
}

TEST_F(DatabaseTransaction, ARangeOverATableThatIsMadeMeanwhileSeesWhatIsWritten) {
  db_->update([&](WriteTransaction& txn) {
    ByteRange range = table_.scan(txn);
    table_.put(txn, as_bytes("k"), as_bytes("v"));
    std::vector<std::string> keys;
    for (const ByteEntry& entry : range) keys.emplace_back(as_text(entry.key));
    EXPECT_EQ(keys, std::vector<std::string>{"k"});
  });
  db_->update([&](WriteTransaction& txn) {  // looked at only, so not made
    EXPECT_EQ(db_->table("other").count(txn), 0U);
    EXPECT_FALSE(db_->table("other").erase(txn, as_bytes("k")));
    table_.put(txn, as_bytes("l"), as_bytes("w"));
  });
  EXPECT_EQ(db_->view([&](const ReadTransaction& txn) { return table_.count(txn); }), 2U);
}

TEST_F(DatabaseTransaction, AMissingTableReadsAsEmpty) {
  const ReadTransaction txn = db_->begin_read();
  EXPECT_EQ(table_.count(txn), 0U);
  EXPECT_EQ(text(table_.get(txn, as_bytes("k"))), "absent");
  EXPECT_TRUE(content(table_, txn).empty());
}

TEST_F(DatabaseTransaction, ErasingUnderARangeNeitherSkipsNorRepeats) {
  db_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 100; ++i) table_.put(txn, as_bytes(std::to_string(1000 + i)), as_bytes("v"));
  });
  db_->update([&](WriteTransaction& txn) {
    int seen = 0;
    for (const ByteEntry& entry : table_.scan(txn)) {
      EXPECT_EQ(as_text(entry.key), std::to_string(1000 + seen));
      EXPECT_TRUE(table_.erase(txn, entry.key));
      table_.put(txn, as_bytes("0 behind"), as_bytes("not seen"));
      ++seen;
    }
    EXPECT_EQ(seen, 100);
  });
  const ReadTransaction txn = db_->begin_read();
  EXPECT_EQ(content(table_, txn), (Content{{"0 behind", "not seen"}}));
}

TEST_F(DatabaseTransaction, RangesHaveInclusiveFirstAndExclusiveLastInBothOrders) {
  db_->update([&](WriteTransaction& txn) {
    for (const char* key : {"", "a", "b", "c"}) table_.put(txn, as_bytes(key), as_bytes("v"));
  });
  const ReadTransaction txn = db_->begin_read();
  const auto keys = [&](const KeyRange& range, Order order) {
    std::string joined;
    for (const ByteEntry& entry : table_.scan(txn, range, order)) joined += to_text(entry.key) + ",";
    return joined;
  };
  EXPECT_EQ(keys({}, Order::ascending), ",a,b,c,");
  EXPECT_EQ(keys({}, Order::descending), "c,b,a,,");
  EXPECT_EQ(keys({.first = "a", .last = "c"}, Order::ascending), "a,b,");
  EXPECT_EQ(keys({.first = "a", .last = "c"}, Order::descending), "b,a,");
  EXPECT_EQ(keys({.first = "b", .last = "b"}, Order::ascending), "");
  EXPECT_EQ(keys({.first = "c", .last = "a"}, Order::descending), "");
  EXPECT_EQ(keys({.first = "bb"}, Order::descending), "c,");
}

TEST_F(DatabaseTransaction, AViewStaysGoodWhileOtherKeysArePut) {
  put(*db_, "t", "stored", "from the store");
  db_->update([&](WriteTransaction& txn) {
    table_.put(txn, as_bytes("new"), as_bytes("from the set"));
    const ByteView stored = *table_.view(txn, as_bytes("stored"));
    const ByteView fresh = *table_.view(txn, as_bytes("new"));
    for (int i = 0; i < 1000; ++i) table_.put(txn, as_bytes(std::to_string(i)), Bytes(200));
    EXPECT_EQ(as_text(stored), "from the store");
    EXPECT_EQ(as_text(fresh), "from the set");
  });
}

TEST_F(DatabaseTransaction, AfterItsEndEveryCallIsAStateError) {
  put(*db_, "t", "k", "v");
  CommittableTransaction write = db_->begin_write();
  write.commit();
  EXPECT_EQ(refused_with([&] { table_.put(write, as_bytes("k"), {}); }), State::closed);
  EXPECT_EQ(refused_with([&] { write.commit(); }), State::closed);
  ReadTransaction read = db_->begin_read();
  ByteRange range = table_.scan(read);
  auto it = range.begin();
  read.end();
  EXPECT_EQ(refused_with([&] { static_cast<void>(table_.get(read, as_bytes("k"))); }), State::closed);
  EXPECT_EQ(refused_with([&] { ++it; }), State::closed);
  EXPECT_EQ(refused_with([&] { ++it; }), State::closed);  // an error is never the end
}

TEST_F(DatabaseTransaction, ARangeOverAnEndedWriteTransactionIsAStateError) {
  put(*db_, "t", "k", "v");
  CommittableTransaction write = db_->begin_write();
  ByteRange range = table_.scan(write);
  auto it = range.begin();
  write.rollback();
  EXPECT_EQ(refused_with([&] { ++it; }), State::closed);
}

TEST_F(DatabaseTransaction, OnAnotherThreadAWriteTransactionIsAStateError) {
  CommittableTransaction txn = db_->begin_write();
  std::optional<State> put_state;
  std::optional<State> commit_state;
  std::thread([&] {
    put_state = refused_with([&] { table_.put(txn, as_bytes("k"), {}); });
    commit_state = refused_with([&] { txn.commit(); });
  }).join();
  EXPECT_EQ(put_state, State::foreign);
  EXPECT_EQ(commit_state, State::foreign);
  table_.put(txn, as_bytes("k"), as_bytes("v"));
  txn.commit();
  EXPECT_EQ(get(*db_, "t", "k"), "v");
}

TEST_F(DatabaseTransaction, ASecondOnOneThreadWouldDeadlockAndSaysSoAtOnce) {
  const auto again = open();
  CommittableTransaction txn = db_->begin_write();
  EXPECT_EQ(refused_with([&] { static_cast<void>(again->begin_write()); }), State::would_deadlock);
  table_.put(txn, as_bytes("k"), as_bytes("v"));
  txn.commit();
  put(*again, "t", "k", "w");
}

TEST_F(DatabaseTransaction, ATableOfAnotherStoreIsForeign) {
  const auto other = open("other");
  const ByteTable theirs = other->table("t");
  CommittableTransaction txn = db_->begin_write();
  EXPECT_EQ(refused_with([&] { theirs.put(txn, as_bytes("k"), {}); }), State::foreign);
  const ReadTransaction read = db_->begin_read();
  EXPECT_EQ(refused_with([&] { static_cast<void>(theirs.count(read)); }), State::foreign);
}

TEST_F(DatabaseTransaction, AReadTransactionMovesBetweenThreads) {
  put(*db_, "t", "k", "v");
  ReadTransaction here = db_->begin_read();
  std::string found;
  std::thread([&, moved = std::move(here)]() mutable {
    found = text(table_.get(moved, as_bytes("k")));
    moved.end();
  }).join();
  EXPECT_EQ(found, "v");
  EXPECT_FALSE(here.is_open());  // NOLINT(bugprone-use-after-move): a moved-from transaction is an ended one
}

TEST_F(DatabaseTransaction, WritersOfManyThreadsTakeTurnsAndLoseNothing) {
  constexpr int threads = 4;
  constexpr int rounds = 25;
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        db_->update([&](WriteTransaction& txn) {
          const std::string sum = text(table_.get(txn, as_bytes("sum")));
          table_.put(txn, as_bytes("sum"), as_bytes(std::to_string(sum == "absent" ? 1 : std::stoi(sum) + 1)));
        });
        put(*db_, "of thread " + std::to_string(t), std::to_string(i), "v");
      }
    });
  }
  for (int i = 0; i < rounds; ++i) {
    const ReadTransaction txn = db_->begin_read();
    for (int t = 0; t < threads; ++t) EXPECT_LE(db_->table("of thread " + std::to_string(t)).count(txn), 25U);
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(get(*db_, "t", "sum"), std::to_string(threads * rounds));
}

TEST_F(DatabaseTransaction, KeysAndValuesBeyondTheLimitsAreRefusedBeforeAnything) {
  CommittableTransaction txn = db_->begin_write();
  EXPECT_THROW(table_.put(txn, Bytes(512, std::byte{'k'}), {}), LimitError);
  EXPECT_THROW(static_cast<void>(table_.get(txn, Bytes(511))), LimitError);  // NULs are stored one byte longer
  table_.put(txn, Bytes(511, std::byte{'k'}), as_bytes("v"));
  table_.put(txn, {}, as_bytes("of the empty key"));
  txn.commit();
  EXPECT_EQ(get(*db_, "t", std::string(511, 'k')), "v");
  EXPECT_EQ(get(*db_, "t", ""), "of the empty key");
}

TEST_F(DatabaseTransaction, TableNamesAreJudged) {
  EXPECT_THROW(static_cast<void>(db_->table("")), OptionError);
  EXPECT_THROW(static_cast<void>(db_->table("holdfast.meta")), OptionError);
  EXPECT_THROW(static_cast<void>(db_->table("\xFF")), OptionError);
  EXPECT_THROW(static_cast<void>(db_->table(std::string(256, 'n'))), LimitError);
  put(*db_, std::string(255, 'n'), "k", "v");
  EXPECT_EQ(get(*db_, std::string(255, 'n'), "k"), "v");
}

TEST_F(DatabaseTransaction, RandomOnesAgreeWithMaps) {
  std::mt19937_64 random(testing::test_seed());
  const auto below = [&](std::uint64_t n) { return random() % n; };
  std::map<std::string, Content> model;
  const std::vector<std::string> names = {"a", "b", "c"};
  for (int round = 0; round < 60; ++round) {
    if (below(8) == 0) {
      db_.reset();
      db_ = open();
    }
    auto draft = model;
    CommittableTransaction txn = db_->begin_write();
    for (std::uint64_t i = below(40); i > 0; --i) {
      const std::string& name = names[below(names.size())];
      const ByteTable table = db_->table(name);
      const std::string key(below(3), static_cast<char>(below(3)));
      if (below(3) > 0) {
        const std::string value(below(3000), static_cast<char>('a' + below(26)));
        table.put(txn, as_bytes(key), as_bytes(value));
        draft[name][key] = value;
      } else {
        ASSERT_EQ(table.erase(txn, as_bytes(key)), draft[name].erase(key) == 1);
      }
      ASSERT_EQ(content(table, txn), draft[name]);
      ASSERT_EQ(table.count(txn), draft[name].size());
    }
    if (below(4) > 0) {
      txn.commit();
      model = draft;
    } else {
      txn.rollback();
    }
    const ReadTransaction after = db_->begin_read();
    for (const auto& name : names) ASSERT_EQ(content(db_->table(name), after), model[name]);
  }
}

}  // namespace
}  // namespace holdfast
