#include <chrono>
#include <sstream>

#include "db/catalogue.hpp"
#include "db/feed.hpp"
#include "db/transaction_tables.hpp"
#include "db/writer_turn.hpp"
#include "feed_fixture.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/db/backup.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/db/dump.hpp"
#include "holdfast/db/salvage.hpp"
#include "stored_file.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

std::optional<RestoreError::Facts> refusal(const Database& in, std::uint64_t since) {
  try {
    in.view([&](const ReadTransaction& txn) { static_cast<void>(in.changes(txn, since)); });
  } catch (const RestoreError& error) {
    return error.facts();
  }
  return std::nullopt;
}

/// What is kept of the feed.
class FeedRetained : public FeedTest {
 protected:
  void keep(const FeedRetention& retention) {
    DatabaseOptions given = clocked();
    given.feed_retention = retention;
    reopen(given);
  }
};

TEST_F(FeedRetained, ByCountIsThatManyAndWhatIsPrunedIsRefusedByName) {
  keep({.max_changes = 3});
  for (int i = 0; i < 10; ++i) put(std::to_string(i));
  EXPECT_EQ(extent(), (FeedExtent{.first = 8, .last = 10}));
  EXPECT_EQ(told(7), (Told{"put parts/7", "put parts/8", "put parts/9"}));
  for (const std::uint64_t since : {0U, 6U}) {
    const auto refused = refusal(*db, since);
    ASSERT_TRUE(refused) << since;
    EXPECT_EQ(refused->reason, RestoreReason::not_retained);
    EXPECT_EQ(refused->seq, 8U);
  }
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(FeedRetained, ByAgeIsWhatIsYounger) {
  keep({.max_age = 1h});
  put("a");
  clock->pass(59min);
  put("b");
  EXPECT_EQ(extent().first, 1U);
  clock->pass(1min);
  put("c");
  EXPECT_EQ(extent().first, 2U);
  clock->pass(-2h);
  put("d");
  EXPECT_EQ(extent(), (FeedExtent{.first = 2, .last = 4})) << "time set back keeps";
}

TEST_F(FeedRetained, OfNothingIsTheLatestCommit) {
  keep({.max_changes = 0, .max_age = 0ms});
  put("a");
  db->update([&](WriteTransaction& txn) {
    for (const char* key : {"b", "c", "d"}) parts.put(txn, as_bytes(key), {});
  });
  EXPECT_EQ(extent(), (FeedExtent{.first = 2, .last = 4}));
}

TEST_F(FeedRetained, NumbersAreNotGivenAgainWhenAllButTheLastWerePruned) {
  keep({.max_changes = 0});
  put("a");
  put("b");
  for (unsigned i = 0; i < 3; ++i) {
    keep({.max_changes = 0});
    put("again");
    EXPECT_EQ(extent(), (FeedExtent{.first = 3U + i, .last = 3U + i}));
  }
}

TEST_F(FeedRetained, IsReachedAtABoundedCostOfEachCommit) {
  for (int i = 0; i < 10; ++i) {
    db->update([&](WriteTransaction& txn) {
      for (int key = 0; key < 10; ++key) parts.put(txn, as_bytes(std::to_string(key)), {});
    });
  }
  keep({.max_changes = 1});
  put("a");
  EXPECT_EQ(extent().first, 3U) << "two for one";
  for (int i = 0; i < 200; ++i) put("a");
  EXPECT_EQ(extent(), (FeedExtent{.first = 301, .last = 301}));
}

TEST_F(FeedRetained, IsEachHandlesOwn) {
  keep({.max_changes = 1});
  put("a");
  const auto other = Database::open(clocked());
  for (int i = 0; i < 5; ++i) DbTest::put(*other, "parts", "key", std::to_string(i));
  EXPECT_EQ(extent().first, 1U);
}

/// What becomes of the feed in whole stores.
class FeedStore : public FeedTest {
 protected:
  void fill() const {
    put("a");
    put("b");
    db->update([&](WriteTransaction& txn) { EXPECT_TRUE(parts.erase(txn, as_bytes("a"))); });
  }
  [[nodiscard]] std::shared_ptr<Database> open_copy(std::string_view name) const {
    DatabaseOptions asked = clocked();
    asked.path = path(name);
    return Database::open(asked);
  }
  void expect_goes_on(std::string_view name) const {
    const auto copy = open_copy(name);
    EXPECT_EQ(changes_in(*copy), changes_in(*db));
    DbTest::put(*copy, "parts", "c", "1");
    EXPECT_EQ(changes_in(*copy, 3).front().sequence, 4U);
    EXPECT_TRUE(copy->check().findings.empty());
  }
  /// Nobody follows from before, and no number is given again.
  void expect_begins_anew(std::string_view name, std::uint64_t after) const {
    const auto copy = open_copy(name);
    EXPECT_TRUE(copy->check().findings.empty());
    const FeedExtent begun{.first = after + 1, .last = after};
    EXPECT_EQ(copy->view([&](const ReadTransaction& txn) { return copy->feed(txn); }), begun);
    EXPECT_EQ(refusal(*copy, 0).value().seq, after + 1);
    DbTest::put(*copy, "parts", "c", "1");
    EXPECT_EQ(changes_in(*copy, after).front().sequence, after + 1);
    EXPECT_TRUE(copy->check().findings.empty());
  }
  [[nodiscard]] StoredFile closed_file() {
    db.reset();
    return StoredFile(path() / "data.mdb");
  }
  /// Writes into the tree of the feed what no commit would.
  void tamper(const std::function<void(detail::WriteBase&, detail::LmdbHandle)>& write) const {
    std::optional<detail::WriteBase> txn;
    const detail::Deadline until(clock, 1s);
    const auto turn = detail::WriterTurn::take(db->environment(), until);
    const auto index =
        detail::begin_indexed(db->environment(), [&]() -> detail::WriteBase& { return txn.emplace(turn, until); });
    write(*txn, index->feed().handle);
    txn->commit(Durability::ordered);
  }
  void expect_corrupt(const char* what) const {
    EXPECT_THROW(static_cast<void>(told()), CorruptionError) << what;
    const auto findings = db->check().findings;
    ASSERT_FALSE(findings.empty()) << what;
    EXPECT_EQ(findings.front().table, detail::feed_table_name);
  }
};

TEST_F(FeedStore, ABackupRestoredAndACompactedCopyGoOnWithIt) {
  fill();
  static_cast<void>(backup(*db, path("backup")));
  static_cast<void>(restore(path("backup"), path("restored")));
  static_cast<void>(compact_to(*db, path("compact")));
  expect_goes_on("restored");
  expect_goes_on("compact");
}

TEST_F(FeedStore, AFollowerAheadOfARestoredBackupIsRefused) {
  fill();
  static_cast<void>(backup(*db, path("backup")));
  put("lost");
  const std::uint64_t followed = extent().last;
  static_cast<void>(restore(path("backup"), path("restored")));
  const auto restored = open_copy("restored");
  EXPECT_EQ(refused_with([&] { static_cast<void>(changes_in(*restored, followed)); }), State::foreign);
}

TEST_F(FeedStore, ALoadedStoreBeginsItsOwn) {
  fill();
  std::ostringstream out;
  static_cast<void>(dump(*db, out));
  std::istringstream in(out.str());
  static_cast<void>(load(in, path("loaded")));
  expect_begins_anew("loaded", 1);
}

TEST_F(FeedStore, ASalvagedStoreBeginsAnotherFarAboveAllThatWasGiven) {
  fill();
  db.reset();
  EXPECT_TRUE(salvage(path(), path("fresh")).found.is_sound());
  expect_begins_anew("fresh", 3 + (std::uint64_t{1} << 32));
}

TEST_F(FeedStore, SalvageOfADamagedFeedKeepsTheTables) {
  fill();
  StoredFile damaged = closed_file();
  damaged.bytes(damaged.tree(detail::feed_table_name).root)[0] ^= 1;
  damaged.store();
  const SalvageReport report = salvage(path(), path("fresh"));
  EXPECT_TRUE(report.found.is_damaged());
  EXPECT_EQ(report.entries, 1U);
  expect_begins_anew("fresh", std::uint64_t{1} << 32);
}

TEST_F(FeedStore, WithoutAFeedOpensAndGetsItWithItsFirstFedTable) {
  DbTest::put(*db, "plain", "key", "value");
  const auto has_feed = [&] {
    return StoredFile(path() / "data.mdb").content().find(detail::feed_table_name) != std::string::npos;
  };
  db.reset();
  EXPECT_FALSE(has_feed());
  reopen(clocked());
  const ReadTransaction before = db->begin_read();
  put("a");
  EXPECT_EQ(db->feed(before), FeedExtent{});
  EXPECT_EQ(told(), Told{"put parts/a"});
  db.reset();
  EXPECT_TRUE(has_feed());
}

TEST_F(FeedStore, AFeedThatIsLostIsCorruptAndAFinding) {
  fill();
  StoredFile damaged = closed_file();
  damaged.tree_record(detail::feed_table_name)[-1] = 'z';
  damaged.store();
  const CheckReport report = check(path());
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings.front().table, detail::feed_table_name);
  db = Database::open(clocked());
  EXPECT_THROW(static_cast<void>(told()), CorruptionError);
}

TEST_F(FeedStore, EveryByteOfARowThatIsNoneIsCorruptAndAFinding) {
  fill();
  const detail::FeedRow good{.sequence = 2, .commit = 2, .time = 1, .table_id = 1, .stored_key = as_bytes("b")};
  const auto try_row = [&](const char* what, const Bytes& value) {
    tamper([&](auto& txn, auto feed) { txn.put(feed, detail::feed_key(2), value); });
    expect_corrupt(what);
  };
  const auto changed = [&](auto change) {
    detail::FeedRow row = good;
    change(row);
    return detail::feed_value(row);
  };
  try_row("empty", {});
  try_row("short", Bytes(24));
  try_row("no kind", changed([](auto& row) { row.kind = ChangeKind{0}; }));
  try_row("a later kind", changed([](auto& row) { row.kind = ChangeKind{7}; }));
  try_row("of no commit", changed([](auto& row) { row.commit = 0; }));
  try_row("of a later commit", changed([](auto& row) { row.commit = 3; }));
  try_row("of no table", changed([](auto& row) { row.table_id = 0; }));
  try_row("no time", changed([](auto& row) { row.time = ~std::uint64_t{0}; }));
  try_row("a key in a clear", changed([](auto& row) { row.kind = ChangeKind::clear; }));
  try_row("no key", changed([](auto& row) { row.stored_key = {}; }));
  const Bytes nulled{std::byte{0}, std::byte{7}};
  try_row("a key that is not stored so", changed([&](auto& row) { row.stored_key = nulled; }));
  const Bytes long_key(512, std::byte{'k'});
  try_row("a key too long", changed([&](auto& row) { row.stored_key = long_key; }));
  tamper([&](auto& txn, auto feed) { txn.put(feed, detail::feed_key(2), detail::feed_value(good)); });
  EXPECT_TRUE(db->check().findings.empty());
  EXPECT_EQ(told().size(), 3U);
}

TEST_F(FeedStore, RowsThatDoNotFollowEachOtherAreCorruptAndAFinding) {
  fill();
  tamper([](auto& txn, auto feed) { EXPECT_TRUE(txn.erase(feed, detail::feed_key(2))); });
  expect_corrupt("a gap");
  tamper([](auto& txn, auto feed) {
    txn.put(feed, detail::feed_key(2),
            detail::feed_value({.sequence = 2, .commit = 1, .table_id = 1, .stored_key = as_bytes("b")}));
    txn.put(feed, detail::feed_key(3),
            detail::feed_value({.sequence = 3, .commit = 2, .table_id = 1, .stored_key = as_bytes("b")}));
  });
  expect_corrupt("a commit that had not begun");
}

TEST_F(FeedStore, KeysThatNoRowHasAreCorruptAndAFinding) {
  fill();
  for (const Bytes& key :
       {to_bytes(as_bytes("\x02 a number")), to_bytes(as_bytes("\x02")), detail::feed_key(~std::uint64_t{0})}) {
    tamper([&](auto& txn, auto feed) { txn.put(feed, key, {}); });
    expect_corrupt(to_hex(key).c_str());
    EXPECT_THROW(put("never"), CorruptionError) << "what is damaged is not written over";
    tamper([&](auto& txn, auto feed) { EXPECT_TRUE(txn.erase(feed, key)); });
  }
  put("c");
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(FeedStore, CheckKnowsTheTablesThatAFeedCanTellOf) {
  fill();
  tamper([](auto& txn, auto feed) {
    txn.put(feed, detail::feed_key(4),
            detail::feed_value({.sequence = 4, .commit = 4, .table_id = 99, .stored_key = as_bytes("b")}));
  });
  const auto findings = db->check().findings;
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].want, "a table's id below 2");
  EXPECT_EQ(findings[0].got, "99");
}

TEST_F(FeedStore, CheckKnowsWhereAFeedBegan) {
  fill();
  tamper([&](auto& txn, auto) {
    txn.put(db->environment()->meta_table(), as_bytes("catalogue.feed"),
            to_bytes(ByteView(little_endian(std::uint64_t{2}))));
  });
  const CheckReport report = db->check();
  EXPECT_EQ(report.findings.size(), 2U) << "changes 1 and 2";
  db.reset();
  db = Database::open(clocked());
  EXPECT_THROW(static_cast<void>(told()), CorruptionError);
}

TEST_F(FeedStore, ChecksInPartsSeeItsRows) {
  db->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 2'000; ++i) parts.put(txn, as_bytes(std::to_string(i)), {});
  });
  tamper([](auto& txn, auto feed) { txn.put(feed, detail::feed_key(1'000), {}); });
  std::size_t findings = 0;
  for (CheckCursor cursor; cursor.rounds == 0;) findings += db->check_part(cursor, 5).findings.size();
  EXPECT_EQ(findings, 1U);
}

}  // namespace
}  // namespace holdfast::testing
