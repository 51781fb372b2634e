#include <chrono>
#include <future>
#include <vector>

#include "expiring_fixture.hpp"
#include "holdfast/core/limits.hpp"
#include "holdfast/db/migrate.hpp"
#include "holdfast/db/typed_table.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST_F(ExpiringTable, APutAfterTheDeadlineIsFresh) {
  put("key", "old", 30ms);
  clock->pass(60ms);
  EXPECT_EQ(get("key"), std::nullopt);
  put("key", "fresh");
  EXPECT_EQ(get("key"), "fresh");
  clock->pass(24h);
  EXPECT_EQ(get("key"), "fresh") << "a plain put has no deadline";
}

TEST_F(ExpiringTable, ErasedAndPutAgainSurvivesTheOldDeadline) {
  put("key", "old", 30ms);
  EXPECT_TRUE(update([&](WriteTransaction& txn) { return table.erase(txn, as_bytes("key")); }));
  put("key", "new");
  clock->pass(60ms);
  EXPECT_EQ(get("key"), "new");
  EXPECT_EQ(rows_in_index(), 0U);
}

TEST_F(ExpiringTable, APlainPutClearsTheTimeToLive) {
  put("key", "1", 30ms);
  put("key", "2");
  EXPECT_EQ(ttl("key"), milliseconds::max());
  EXPECT_EQ(rows_in_index(), 0U);
  clock->pass(60ms);
  EXPECT_EQ(get("key"), "2");
}

TEST_F(ExpiringTable, AMaximumDurationNeverExpires) {
  put("a", "", milliseconds::max());
  put("b", "", std::chrono::hours::max());
  put("c", "", std::chrono::nanoseconds::max());
  put("d", "", std::chrono::seconds::max() - 1s);
  EXPECT_EQ(rows_in_index(), 0U);
  clock->set(std::numeric_limits<std::int64_t>::max() / 1'000'000);
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_EQ(get(key), "") << key;
}

TEST_F(ExpiringTable, ZeroAndNegativeTimesToLiveEndAtOnce) {
  put("a", "1");
  put("a", "2", 0ms);
  EXPECT_EQ(get("a"), std::nullopt);
  put("a", "1");
  EXPECT_TRUE(update([&](WriteTransaction& txn) { return table.expire(txn, as_bytes("a"), -1h); }));
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_FALSE(update([&](WriteTransaction& txn) { return table.expire(txn, as_bytes("a"), 0ms); }));
  EXPECT_EQ(rows_in_index(), 0U);
}

TEST_F(ExpiringTable, ADueEntryIsAbsentOnEveryWayInEveryKindOfTransaction) {
  update([&](WriteTransaction& txn) {
    for (const char* key : {"a", "c", "e"}) table.put(txn, as_bytes(key), as_bytes("short"), 30ms);
    table.put(txn, as_bytes("b"), as_bytes("long"), 1h);
    table.put(txn, as_bytes("d"), as_bytes("for ever"));
    expect_one_truth(table, txn, {"a", "b", "c", "d", "e"});
  });
  const ReadTransaction before = db->begin_read();
  clock->pass(30ms);
  db->view([&](const ReadTransaction& txn) { expect_one_truth(table, txn, {"b", "d"}); });
  expect_one_truth(table, before, {"a", "b", "c", "d", "e"});
  update([&](WriteTransaction& txn) {
    expect_one_truth(table, txn, {"b", "d"});
    table.put(txn, as_bytes("c"), as_bytes("again"));
    table.put(txn, as_bytes("f"), as_bytes("new"), 1ms);
    EXPECT_TRUE(table.erase(txn, as_bytes("b")));
    expect_one_truth(table, txn, {"c", "d", "f"});
    clock->pass(1h);
    expect_one_truth(table, txn, {"c", "d", "f"});
  });
  db->view([&](const ReadTransaction& txn) { expect_one_truth(table, txn, {"c", "d"}); });
}

TEST_F(ExpiringTable, ADueEntryTakesNoPartInWrites) {
  put("key", "old", 30ms);
  clock->pass(30ms);
  update([&](WriteTransaction& txn) {
    EXPECT_FALSE(table.expire(txn, as_bytes("key"), 1h));
    EXPECT_FALSE(table.persist(txn, as_bytes("key")));
    EXPECT_FALSE(table.ttl(txn, as_bytes("key")));
    EXPECT_TRUE(table.insert(txn, as_bytes("key"), as_bytes("new")));
    EXPECT_FALSE(table.insert(txn, as_bytes("key"), as_bytes("newer")));
  });
  EXPECT_EQ(get("key"), "new");
}

TEST_F(ExpiringTable, EraseOfADueEntryAnswersFalseAndLeavesNothingForAClockSetBack) {
  put("key", "old", 30ms);
  clock->pass(30ms);
  EXPECT_FALSE(update([&](WriteTransaction& txn) { return table.erase(txn, as_bytes("key")); }));
  EXPECT_EQ(rows_in_index(), 0U);
  clock->pass(-30ms);
  EXPECT_EQ(get("key"), std::nullopt);
}

TEST_F(ExpiringTable, ExpirePersistAndTtlTellAndChangeWhatIsLeft) {
  put("key", "value");
  EXPECT_EQ(ttl("key"), milliseconds::max());
  EXPECT_EQ(ttl("nothing"), std::nullopt);
  EXPECT_TRUE(update([&](WriteTransaction& txn) { return table.expire(txn, as_bytes("key"), 100ms); }));
  clock->pass(40ms);
  EXPECT_EQ(ttl("key"), 60ms);
  EXPECT_TRUE(update([&](WriteTransaction& txn) { return table.expire(txn, as_bytes("key"), 1h); }));
  EXPECT_EQ(ttl("key"), 1h);
  EXPECT_EQ(rows_in_index(), 1U) << "the deadline before is gone";
  EXPECT_TRUE(update([&](WriteTransaction& txn) { return table.persist(txn, as_bytes("key")); }));
  EXPECT_EQ(ttl("key"), milliseconds::max());
  EXPECT_EQ(rows_in_index(), 0U);
  EXPECT_EQ(get("key"), "value");
}

TEST_F(ExpiringTable, TwoTablesNeverShareExpiry) {
  const ByteTable other = expiring("others");
  update([&](WriteTransaction& txn) {
    table.put(txn, as_bytes("key"), as_bytes("1"), 10ms);
    other.put(txn, as_bytes("key"), as_bytes("2"), 20ms);
  });
  clock->pass(10ms);
  EXPECT_EQ(get("key"), std::nullopt);
  EXPECT_EQ(at("key", other), "2");
  EXPECT_EQ(update([&](WriteTransaction& txn) { return table.purge_expired(txn, 10); }), 1U);
  EXPECT_EQ(at("key", other), "2");
  EXPECT_EQ(update([&](WriteTransaction& txn) { return other.purge_expired(txn, 10); }), 0U);
}

TEST_F(ExpiringTable, PurgeErasesWhatIsDueEarliestFirstUpToItsLimit) {
  update([&](WriteTransaction& txn) {
    for (int i = 0; i < 10; ++i)
      table.put(txn, as_bytes("k" + std::to_string(i)), as_bytes("v"), milliseconds(100 - i));
    table.put(txn, as_bytes("stays"), as_bytes("v"));
  });
  clock->pass(1h);
  const auto purge = [&](std::uint64_t limit) {
    return update([&](WriteTransaction& txn) { return table.purge_expired(txn, limit); });
  };
  EXPECT_EQ(purge(0), 0U);
  EXPECT_EQ(purge(4), 4U);
  EXPECT_EQ(rows_in_index(), 6U);
  clock->pass(-1h);
  EXPECT_EQ(get("k9"), std::nullopt) << "the earliest deadlines went first";
  EXPECT_EQ(get("k6"), std::nullopt);
  EXPECT_EQ(get("k5"), "v");
  clock->pass(1h);
  EXPECT_EQ(purge(100), 6U);
  EXPECT_EQ(purge(100), 0U);
  EXPECT_EQ(rows_in_index(), 0U);
  EXPECT_EQ(get("stays"), "v");
}

TEST_F(ExpiringTable, PurgeLeavesWhatItsOwnTransactionWroteAgain) {
  put("a", "old", 10ms);
  put("b", "old", 10ms);
  clock->pass(10ms);
  update([&](WriteTransaction& txn) {
    table.put(txn, as_bytes("a"), as_bytes("new"), 1h);
    EXPECT_EQ(table.purge_expired(txn, 100), 1U);
    EXPECT_EQ(table.purge_expired(txn, 100), 0U);
    expect_one_truth(table, txn, {"a"});
  });
  EXPECT_EQ(get("a"), "new");
}

TEST_F(ExpiringTable, ReadingADueEntryWritesNothingAndWaitsForNobody) {
  put("key", "old", 30ms);
  clock->pass(30ms);
  auto writer = db->begin_write();
  auto read = std::async(std::launch::async, [&] { return get("key"); });
  ASSERT_EQ(read.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(read.get(), std::nullopt);
  writer.rollback();
  EXPECT_EQ(rows_in_index(), 1U) << "still to be purged";
}

TEST_F(ExpiringTable, ASavepointRolledBackTakesDeadlinesBack) {
  put("key", "value", 10ms);
  update([&](WriteTransaction& txn) {
    EXPECT_THROW(txn.savepoint([&] {
      table.put(txn, as_bytes("key"), as_bytes("other"), 1h);
      table.persist(txn, as_bytes("key"));
      throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_EQ(table.ttl(txn, as_bytes("key")), 10ms);
  });
  clock->pass(10ms);
  EXPECT_EQ(get("key"), std::nullopt);
}

TEST_F(ExpiringTable, ClearedAndDroppedTablesTakeTheirDeadlinesAlong) {
  put("a", "1", 10ms);
  put("b", "2", 20ms);
  update([&](WriteTransaction& txn) {
    table.clear(txn);
    table.put(txn, as_bytes("c"), as_bytes("3"), 30ms);
    clock->pass(15ms);
    expect_one_truth(table, txn, {"c"});
  });
  EXPECT_EQ(rows_in_index(), 1U);
  clock->pass(5ms);
  db->view([&](const ReadTransaction& txn) { expect_one_truth(table, txn, {"c"}); });
  update([&](WriteTransaction& txn) { EXPECT_TRUE(db->rename_table(txn, "sessions", "renamed")); });
  EXPECT_EQ(at("c", expiring("renamed")), "3");
  EXPECT_EQ(rows_in_index(), 1U);
  update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, "renamed")); });
  EXPECT_EQ(rows_in_index(), 0U);
}

TEST_F(ExpiringTable, KeysAreShorterByWhatTheIndexPutsBeforeThem) {
  const std::string longest(limits::max_expiring_key_bytes, 'k');
  put(longest, "value", 1h);
  EXPECT_EQ(get(longest), "value");
  try {
    put(longest + "k", "value");
    FAIL() << "too long, also without a time to live: it may get one";
  } catch (const LimitError& error) {
    EXPECT_EQ(error.facts().limit, "max_expiring_key_bytes");
    EXPECT_EQ(error.facts().maximum, 495U);
  }
  EXPECT_EQ(get(longest + "k"), std::nullopt);
  put(std::string(1, '\0'), "nul", 1h);
  put("", "empty", 1h);
  EXPECT_EQ(get(""), "empty");
}

TEST_F(ExpiringTable, ATableMadeWithoutExpiryRefusesItByName) {
  const ByteTable plain = db->table("plain");
  DbTest::put(*db, "plain", "key", "value");
  const auto capability = [&](auto call) -> std::string {
    try {
      db->update(call);
    } catch (const UnsupportedError& error) {
      return error.facts().capability + " of " + error.facts().where;
    }
    return "supported";
  };
  const ByteView key = as_bytes("key");
  EXPECT_EQ(capability([&](WriteTransaction& txn) { plain.put(txn, key, {}, 1h); }), "expiry of table plain");
  EXPECT_EQ(capability([&](WriteTransaction& txn) { plain.expire(txn, key, 1h); }), "expiry of table plain");
  EXPECT_EQ(capability([&](WriteTransaction& txn) { plain.persist(txn, key); }), "expiry of table plain");
  EXPECT_EQ(capability([&](WriteTransaction& txn) { plain.purge_expired(txn, 1); }), "expiry of table plain");
  EXPECT_EQ(capability([&](WriteTransaction& txn) { static_cast<void>(plain.ttl(txn, key)); }),
            "expiry of table plain");
  EXPECT_EQ(refused_with([&] { db->update([&](WriteTransaction& txn) { expiring("plain").put(txn, key, {}); }); }),
            State::mismatched);
  EXPECT_EQ(refused_with([&] {
              db->view([&](const ReadTransaction& txn) { static_cast<void>(expiring("plain").get(txn, key)); });
            }),
            State::mismatched);
  EXPECT_EQ(at("key", plain), "value");
}

TEST_F(ExpiringTable, AHandleThatDoesNotAskForExpirySeesItAllTheSame) {
  put("key", "value", 30ms);
  const ByteTable plain = db->table("sessions");
  EXPECT_EQ(at("key", plain), "value");
  clock->pass(30ms);
  EXPECT_EQ(at("key", plain), std::nullopt);
  update([&](WriteTransaction& txn) { plain.put(txn, as_bytes("key"), as_bytes("2"), 30ms); });
  EXPECT_EQ(ttl("key"), 30ms);
}

using Words = Table<std::string, std::string>;

TEST_F(ExpiringTable, MigrationCarriesTheDeadlinesAndLeavesOutWhatIsDue) {
  const Words old(*db, "typed", {.expiry = Expiry::per_entry});
  const Words next(*db, "typed", {.schema_version = 1});
  update([&](WriteTransaction& txn) {
    old.put(txn, "due", "value", 5ms);
    old.put(txn, "ending", "value", 30ms);
    old.put(txn, "lasting", "value");
  });
  clock->pass(10ms);
  const auto renamed = [](const auto& entry) { return TableEntry{"new " + entry.key, entry.value}; };
  update([&](WriteTransaction& txn) { EXPECT_EQ(migrate(txn, old, next, renamed), 2U); });
  db->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(next.ttl(txn, "new ending"), 20ms);
    EXPECT_EQ(next.ttl(txn, "new lasting"), milliseconds::max());
    EXPECT_EQ(next.count(txn), 2U);
  });
  EXPECT_EQ(rows_in_index(), 1U) << "none of the table that was";
  clock->pass(20ms);
  db->view([&](const ReadTransaction& txn) { EXPECT_EQ(next.get(txn, "new ending"), std::nullopt); });
  update([&](WriteTransaction& txn) { EXPECT_EQ(next.purge_expired(txn, 10), 1U); });
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ExpiringTable, MigrationThatFailsLeavesTheDeadlinesAsTheyWere) {
  const Words old(*db, "typed", {.expiry = Expiry::per_entry});
  const Words next(*db, "typed", {.schema_version = 1});
  update([&](WriteTransaction& txn) {
    old.put(txn, "a", "value", 30ms);
    old.put(txn, "b", "value", 40ms);
    const auto one_key = [](const auto& entry) { return TableEntry{std::string("one"), entry.value}; };
    EXPECT_THROW(migrate(txn, old, next, one_key), ConflictError);
  });
  db->view([&](const ReadTransaction& txn) { EXPECT_EQ(old.ttl(txn, "b"), 40ms); });
  EXPECT_EQ(rows_in_index(), 2U);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ExpiringTable, MigrationMayMakeATableOneWhoseEntriesExpire) {
  const Words old(*db, "typed");
  const Words next(*db, "typed", {.expiry = Expiry::per_entry});
  const auto same = [](const auto& entry) { return entry; };
  update([&](WriteTransaction& txn) { old.put(txn, "a", "value"); });
  update([&](WriteTransaction& txn) { EXPECT_EQ(migrate(txn, old, next, same), 1U); });
  update([&](WriteTransaction& txn) {
    EXPECT_EQ(migrate(txn, old, next, same), 0U) << "it is as asked for";
    EXPECT_EQ(next.ttl(txn, "a"), milliseconds::max());
    EXPECT_TRUE(next.expire(txn, "a", 30ms));
  });
  clock->pass(30ms);
  db->view([&](const ReadTransaction& txn) { EXPECT_FALSE(old.contains(txn, "a")); });
}

TEST_F(ExpiringTable, ATypedTableHasTheSameCalls) {
  const Table<int, std::string> typed(*db, "numbers", {.expiry = Expiry::per_entry});
  update([&](WriteTransaction& txn) {
    typed.put(txn, 1, "one", 30ms);
    typed.put(txn, 2, "two", 30ms);
    typed.put(txn, 3, "three", 30ms);
    EXPECT_EQ(typed.ttl(txn, 1), 30ms);
    EXPECT_TRUE(typed.expire(txn, 2, 1h));
    EXPECT_TRUE(typed.persist(txn, 3));
    EXPECT_FALSE(typed.expire(txn, 4, 1h));
    EXPECT_FALSE(typed.persist(txn, 4));
    EXPECT_EQ(typed.ttl(txn, 4), std::nullopt);
  });
  clock->pass(30ms);
  update([&](WriteTransaction& txn) {
    EXPECT_EQ(typed.get(txn, 1), std::nullopt);
    EXPECT_EQ(typed.get(txn, 2), "two");
    EXPECT_EQ(typed.ttl(txn, 3), milliseconds::max());
    EXPECT_EQ(typed.purge_expired(txn, 10), 1U);
  });
}

TEST_F(ExpiringTable, ATransactionThatSpillsJudgesAndIndexesTheSame) {
  DatabaseOptions small = clocked();
  small.write_set_bytes = 4096;
  const auto spilling = Database::open(small);
  put("a", "old", 10ms);
  put("b", "old", 10ms);
  clock->pass(10ms);
  spilling->update([&](WriteTransaction& txn) {
    table.put(txn, as_bytes("a"), as_bytes("new"));
    for (int i = 0; i < 200; ++i)
      table.put(txn, as_bytes("k" + std::to_string(i)), as_bytes(std::string(100, 'v')), milliseconds(i + 1));
    EXPECT_EQ(table.count(txn), 201U);
    EXPECT_EQ(table.purge_expired(txn, 100), 1U);
    EXPECT_EQ(table.count(txn), 201U);
  });
  EXPECT_EQ(rows_in_index(), 200U);
  clock->pass(100ms);
  db->view([&](const ReadTransaction& txn) { EXPECT_EQ(table.count(txn), 101U); });
}

TEST_F(ExpiringTable, ACommitThatIsRolledBackLeavesTheIndexAsItWas) {
  put("key", "value", 30ms);
  auto txn = db->begin_write();
  table.put(txn, as_bytes("key"), as_bytes("other"), 1h);
  table.put(txn, as_bytes("more"), as_bytes("other"), 1h);
  txn.rollback();
  EXPECT_EQ(rows_in_index(), 1U);
  EXPECT_EQ(ttl("key"), 30ms);
}

}  // namespace
}  // namespace holdfast::testing
