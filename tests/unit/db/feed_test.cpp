#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "feed_fixture.hpp"
#include "holdfast/db/migrate.hpp"
#include "holdfast/seal/checksum.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

class ChangeFeed : public FeedTest {
 protected:
  template <class Call>
  void update(Call call) const {
    db->update([&](WriteTransaction& txn) { call(txn); });
  }
  [[nodiscard]] ByteTable sessions(std::shared_ptr<const Seal> seal = {}) const {
    return db->table("sessions", {.seal = std::move(seal), .expiry = Expiry::per_entry, .feed = Feed::on});
  }
};

TEST_F(ChangeFeed, TellsTheKeysOfEachCommitInOrderWithNumbersWithoutGaps) {
  clock->set(1'000);
  update([&](WriteTransaction& txn) {
    parts.put(txn, as_bytes("b"), as_bytes("1"));
    parts.put(txn, as_bytes("a"), as_bytes("2"));
    parts.put(txn, as_bytes(""), as_bytes("3"));
  });
  clock->set(2'000);
  update([&](WriteTransaction& txn) {
    EXPECT_TRUE(parts.erase(txn, as_bytes("a")));
    parts.put(txn, as_bytes("c"), {});
  });
  EXPECT_EQ(told(), (Told{"put parts/", "put parts/a", "put parts/b", "erase parts/a", "put parts/c"}));
  const std::vector<FeedChange> changes = changes_in(*db);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(changes[i].sequence, i + 1);
    EXPECT_EQ(changes[i].commit, i < 3 ? 1U : 4U);
    EXPECT_EQ(changes[i].time.time_since_epoch(), i < 3 ? 1'000ms : 2'000ms);
    EXPECT_EQ(changes[i].table_id, db->tables().front().id);
  }
  EXPECT_EQ(extent(), (FeedExtent{.first = 1, .last = 5}));
}

TEST_F(ChangeFeed, OfAStoreWithoutFedTablesIsEmpty) {
  DbTest::put(*db, "plain", "key", "value");
  EXPECT_EQ(told(), Told{});
  EXPECT_EQ(extent(), FeedExtent{});
  EXPECT_EQ(refused_with([&] { static_cast<void>(told(1)); }), State::foreign);
}

TEST_F(ChangeFeed, HasNothingOfTablesThatDidNotAskForIt) {
  update([&](WriteTransaction& txn) {
    db->table("plain").put(txn, as_bytes("a"), as_bytes("1"));
    parts.put(txn, as_bytes("b"), as_bytes("1"));
  });
  update([&](WriteTransaction& txn) { db->table("plain").clear(txn); });
  EXPECT_EQ(told(), Told{"put parts/b"});
}

TEST_F(ChangeFeed, IsWrittenByWhoeverUsesTheTable) {
  put("a");
  DbTest::put(*db, "parts", "b", "without asking");
  EXPECT_EQ(told(), (Told{"put parts/a", "put parts/b"}));
}

TEST_F(ChangeFeed, IsRefusedForATableMadeWithoutIt) {
  DbTest::put(*db, "plain", "key", "value");
  const ByteTable asked = fed(*db, "plain");
  EXPECT_EQ(refused_with([&] { update([&](WriteTransaction& txn) { asked.put(txn, {}, {}); }); }), State::mismatched);
  db->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(refused_with([&] { static_cast<void>(asked.get(txn, {})); }), State::mismatched);
  });
}

TEST_F(ChangeFeed, ResumesAfterAnyNumberItHasGiven) {
  for (const char* key : {"a", "b", "c", "d"}) put(key);
  EXPECT_EQ(told(2), (Told{"put parts/c", "put parts/d"}));
  EXPECT_EQ(changes_in(*db, 2).front().sequence, 3U);
  EXPECT_EQ(told(4), Told{});
  put("e");
  EXPECT_EQ(told(4), Told{"put parts/e"});
  EXPECT_EQ(refused_with([&] { static_cast<void>(told(6)); }), State::foreign);
}

TEST_F(ChangeFeed, OfASnapshotStaysAsItWas) {
  put("a");
  const ReadTransaction before = db->begin_read();
  put("b");
  EXPECT_EQ(db->feed(before).last, 1U);
  Told seen;
  for (const FeedChange& change : db->changes(before)) seen.push_back(text(change));
  EXPECT_EQ(seen, Told{"put parts/a"});
}

TEST_F(ChangeFeed, OfAWriteTransactionIsWhatWasCommittedBefore) {
  put("a");
  const ByteTable followers = db->table("followers");
  update([&](WriteTransaction& txn) {
    parts.put(txn, as_bytes("b"), {});
    std::uint64_t last = 0;
    for (const FeedChange& change : db->changes(txn)) {
      last = change.sequence;
      followers.put(txn, as_bytes("position"), as_bytes(std::to_string(last)));
    }
    EXPECT_EQ(last, 1U);
  });
  EXPECT_EQ(DbTest::get(*db, "followers", "position"), "1");
  EXPECT_EQ(told(1), Told{"put parts/b"});
}

TEST_F(ChangeFeed, NumbersGoOnWhenTheStoreIsOpenedAgain) {
  put("a");
  reopen(clocked());
  put("b");
  EXPECT_EQ(told(), (Told{"put parts/a", "put parts/b"}));
  EXPECT_EQ(extent(), (FeedExtent{.first = 1, .last = 2}));
}

TEST_F(ChangeFeed, HasNothingOfWhatIsRolledBackOrTakenBack) {
  put("a");
  auto txn = db->begin_write();
  parts.put(txn, as_bytes("never"), {});
  txn.rollback();
  EXPECT_THROW(update([&](WriteTransaction& failing) {
                 parts.put(failing, as_bytes("nor this"), {});
                 throw std::runtime_error("no");
               }),
               std::runtime_error);
  update([&](WriteTransaction& outer) {
    parts.put(outer, as_bytes("b"), {});
    EXPECT_THROW(outer.savepoint([&] {
      parts.put(outer, as_bytes("taken back"), {});
      EXPECT_TRUE(parts.erase(outer, as_bytes("a")));
      throw std::runtime_error("no");
    }),
                 std::runtime_error);
    outer.savepoint([&] { parts.put(outer, as_bytes("c"), {}); });
  });
  EXPECT_EQ(told(), (Told{"put parts/a", "put parts/b", "put parts/c"}));
  EXPECT_EQ(extent().last, 3U) << "numbers have no gaps";
}

TEST_F(ChangeFeed, OfATableThatWasMadeAndTakenBackBeginsWithTheNextOne) {
  update([&](WriteTransaction& txn) {
    EXPECT_THROW(txn.savepoint([&] {
      parts.put(txn, as_bytes("a"), {});
      throw std::runtime_error("no");
    }),
                 std::runtime_error);
    db->table("plain").put(txn, as_bytes("key"), {});
  });
  update([&](WriteTransaction& txn) {
    parts.put(txn, as_bytes("a"), {});
    EXPECT_TRUE(db->drop_table(txn, "parts"));
  });
  EXPECT_EQ(extent(), FeedExtent{});
  EXPECT_TRUE(db->check().findings.empty());
  put("b");
  EXPECT_EQ(told(), Told{"put parts/b"});
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ChangeFeed, TellsEachKeyOfACommitOnceWithWhatBecameOfItAtLast) {
  put("a");
  update([&](WriteTransaction& txn) {
    parts.put(txn, as_bytes("a"), as_bytes("1"));
    EXPECT_TRUE(parts.erase(txn, as_bytes("a")));
    parts.put(txn, as_bytes("passing"), {});
    EXPECT_TRUE(parts.erase(txn, as_bytes("passing")));
    EXPECT_FALSE(parts.erase(txn, as_bytes("absent")));
    parts.put(txn, as_bytes("b"), as_bytes("1"));
    parts.put(txn, as_bytes("b"), as_bytes("2"));
  });
  EXPECT_EQ(told(1), (Told{"erase parts/a", "put parts/b"}));
}

TEST_F(ChangeFeed, TellsAClearBeforeWhatIsPutAfterIt) {
  update([&](WriteTransaction& txn) { parts.clear(txn), parts.put(txn, as_bytes("a"), {}); });
  update([&](WriteTransaction& txn) {
    parts.put(txn, as_bytes("b"), {}), parts.clear(txn), parts.put(txn, as_bytes("c"), {});
  });
  update([&](WriteTransaction& txn) { parts.clear(txn); });
  update([&](WriteTransaction& txn) { parts.clear(txn); });
  EXPECT_EQ(told(), (Told{"put parts/a", "clear parts", "put parts/c", "clear parts"}))
      << "an empty one stays as it is";
}

TEST_F(ChangeFeed, TellsEveryEraseOfARange) {
  update([&](WriteTransaction& txn) {
    for (const char* key : {"a", "b", "c"}) parts.put(txn, as_bytes(key), {});
  });
  update([&](WriteTransaction& txn) { EXPECT_EQ(parts.erase_range(txn, {.first = "b"}), 2U); });
  EXPECT_EQ(told(3), (Told{"erase parts/b", "erase parts/c"}));
}

TEST_F(ChangeFeed, TellsOfTimesToLiveWhatWasDone) {
  for (const bool sealed : {false, true}) {
    const std::uint64_t before = extent().last;
    const ByteTable table = sessions(sealed ? std::make_shared<ChecksumSeal>() : nullptr);
    if (sealed) update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, "sessions")); });
    const std::uint64_t since = sealed ? extent().last : before;
    update([&](WriteTransaction& txn) { table.put(txn, as_bytes("a"), as_bytes("1"), 30ms); });
    update([&](WriteTransaction& txn) { EXPECT_TRUE(table.expire(txn, as_bytes("a"), 1h)); });
    update([&](WriteTransaction& txn) { EXPECT_TRUE(table.persist(txn, as_bytes("a"))); });
    update([&](WriteTransaction& txn) { table.put(txn, as_bytes("a"), as_bytes("1"), 1h); });
    update([&](WriteTransaction& txn) { EXPECT_TRUE(table.expire(txn, as_bytes("a"), 0ms)); });
    update([&](WriteTransaction& txn) {
      table.put(txn, as_bytes("b"), as_bytes("1"));
      EXPECT_TRUE(table.expire(txn, as_bytes("b"), 30ms));
    });
    EXPECT_EQ(told(since), (Told{"put sessions/a", "expire_set sessions/a", "persist sessions/a", "put sessions/a",
                                 "erase sessions/a", "put sessions/b"}));
  }
}

TEST_F(ChangeFeed, TellsWhatItsTimeHasErasedFromWhatAUserHas) {
  const ByteTable table = sessions();
  update([&](WriteTransaction& txn) {
    for (const char* key : {"a", "b", "c", "d"}) table.put(txn, as_bytes(key), as_bytes("1"), 30ms);
    table.put(txn, as_bytes("e"), as_bytes("1"), 1h);
  });
  clock->pass(30ms);
  const std::uint64_t since = extent().last;
  db->view([&](const ReadTransaction& txn) { EXPECT_FALSE(table.contains(txn, as_bytes("a"))); });
  EXPECT_EQ(told(since), Told{}) << "what is due is told when it goes, not when it is read";
  update([&](WriteTransaction& txn) { EXPECT_EQ(table.purge_expired(txn, 1), 1U); });
  update([&](WriteTransaction& txn) { EXPECT_FALSE(table.erase(txn, as_bytes("b"))) << "due, and so absent"; });
  update([&](WriteTransaction& txn) { EXPECT_TRUE(table.insert(txn, as_bytes("c"), as_bytes("2"))); });
  update([&](WriteTransaction& txn) { EXPECT_FALSE(table.expire(txn, as_bytes("d"), 1h)); });
  update([&](WriteTransaction& txn) { EXPECT_TRUE(table.erase(txn, as_bytes("e"))); });
  EXPECT_EQ(told(since), (Told{"expired sessions/a", "expired sessions/b", "put sessions/c", "erase sessions/e"}));
}

TEST_F(ChangeFeed, OfATransactionThatSpillsIsOneCommit) {
  DatabaseOptions small = clocked();
  small.write_set_bytes = 1'000;
  reopen(small);
  put("before");
  update([&](WriteTransaction& txn) {
    for (int i = 100; i < 200; ++i) parts.put(txn, as_bytes(std::to_string(i)), as_bytes(std::string(50, 'v')));
    EXPECT_TRUE(parts.erase(txn, as_bytes("100"))) << "told before, as a part was";
  });
  const auto changes = changes_in(*db, 1);
  ASSERT_EQ(changes.size(), 101U);
  std::uint64_t sequence = 2;
  for (const FeedChange& change : changes) {
    EXPECT_EQ(change.commit, 2U);
    EXPECT_EQ(change.sequence, sequence++);
  }
  const auto place = [&](std::string_view sought) {
    return std::find_if(changes.begin(), changes.end(),
                        [&](const FeedChange& change) { return text(change) == sought; });
  };
  ASSERT_NE(place("erase parts/100"), changes.end());
  EXPECT_LT(place("put parts/100"), place("erase parts/100"));
  {
    auto txn = db->begin_write();
    for (int i = 0; i < 100; ++i) parts.put(txn, as_bytes(std::to_string(i)), as_bytes(std::string(50, 'v')));
    txn.rollback();
  }
  EXPECT_EQ(extent().last, 102U);
  put("after");
  EXPECT_EQ(changes_in(*db, 102).front().commit, 103U);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ChangeFeed, OfACommitThatGrowsTheMapIsWrittenOnce) {
  DatabaseOptions small = clocked();
  small.map_reserve_bytes = 1U << 20U;
  reopen(small);
  update([&](WriteTransaction& txn) {
    for (int i = 0; i < 300; ++i) parts.put(txn, as_bytes(std::to_string(i)), as_bytes(std::string(10'000, 'v')));
  });
  EXPECT_GT(db->stats().growths, 0U);
  EXPECT_EQ(extent(), (FeedExtent{.first = 1, .last = 300}));
  EXPECT_EQ(changes_in(*db).size(), 300U);
}

TEST_F(ChangeFeed, GoesOnWhenItsLastTableIsDropped) {
  put("a");
  update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, "parts")); });
  const auto after = changes_in(*db);
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[1].kind, ChangeKind::clear);
  EXPECT_EQ(after[1].table_id, after[0].table_id);
  EXPECT_EQ(after[0].table, "") << "there is no table of this id any more";
  reopen(clocked());
  EXPECT_EQ(extent().last, 2U);
  put("b");
  const auto anew = changes_in(*db, 2);
  ASSERT_EQ(anew.size(), 1U);
  EXPECT_NE(anew[0].table_id, after[0].table_id);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ChangeFeed, TellsTheNameThatATableHasNow) {
  put("a");
  update([&](WriteTransaction& txn) { EXPECT_TRUE(db->rename_table(txn, "parts", "pieces")); });
  DbTest::put(*db, "pieces", "b", "1");
  EXPECT_EQ(told(), (Told{"put pieces/a", "put pieces/b"}));
}

TEST_F(ChangeFeed, TellsAMigrationAsAClearAndANewTableWhichKeepsIt) {
  put("a", "1");
  const Table<Bytes, Bytes> old(*db, "parts");
  const Table<std::string, std::string> next(*db, "parts", {.schema_version = 1});
  const auto convert = [](const auto& entry) {
    return TableEntry<std::string, std::string>{to_text(entry.key), to_text(entry.value)};
  };
  update([&](WriteTransaction& txn) { EXPECT_EQ(migrate(txn, old, next, convert), 1U); });
  EXPECT_EQ(told(1), (Told{"clear ", "put parts/a"}));
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ChangeFeed, IsGivenToATableByAMigration) {
  DbTest::put(*db, "plain", "a", "1");
  const Table<Bytes, Bytes> old(*db, "plain");
  const Table<Bytes, Bytes> next(*db, "plain", {.feed = Feed::on});
  const auto keep = [](const auto& entry) { return TableEntry<Bytes, Bytes>{entry.key, entry.value}; };
  update([&](WriteTransaction& txn) { EXPECT_EQ(migrate(txn, old, next, keep), 1U); });
  update([&](WriteTransaction& txn) { EXPECT_EQ(migrate(txn, old, next, keep), 0U) << "done"; });
  EXPECT_EQ(told(), Told{"put plain/a"});
}

TEST_F(ChangeFeed, OfAnotherStoresTransactionIsRefused) {
  const auto other = Database::open_in_memory();
  const ReadTransaction txn = other->begin_read();
  EXPECT_EQ(refused_with([&] { static_cast<void>(db->changes(txn)); }), State::foreign);
  EXPECT_EQ(refused_with([&] { static_cast<void>(db->feed(txn)); }), State::foreign);
}

TEST_F(ChangeFeed, ARangeOfAnEndedTransactionIsClosed) {
  put("a");
  ReadTransaction txn = db->begin_read();
  ChangeRange range = db->changes(txn);
  txn.end();
  EXPECT_EQ(refused_with([&] { static_cast<void>(range.begin()); }), State::closed);
}

}  // namespace
}  // namespace holdfast::testing
