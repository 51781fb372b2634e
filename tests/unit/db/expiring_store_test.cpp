#include <chrono>
#include <sstream>

#include "db/writer_turn.hpp"
#include "expiring_fixture.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/db/backup.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/db/dump.hpp"
#include "holdfast/db/salvage.hpp"
#include "holdfast/seal/checksum.hpp"
#include "stored_file.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// What becomes of deadlines in whole stores, and of stores that have none.
class ExpiringStore : public ExpiringTable {
 protected:
  [[nodiscard]] static ByteTable sealed_in(const Database& in) {
    return in.table("sealed", {.seal = std::make_shared<ChecksumSeal>(), .expiry = Expiry::per_entry});
  }
  void fill() const {
    DbTest::put(*db, "plain", "key", "value");
    db->update([&](WriteTransaction& txn) {
      for (const ByteTable& each : {table, sealed_in(*db)}) {
        each.put(txn, as_bytes("a"), as_bytes("short"), 30ms);
        each.put(txn, as_bytes("b"), as_bytes("long"), 1h);
        each.put(txn, as_bytes("c"), as_bytes("for ever"));
      }
    });
  }
  [[nodiscard]] std::shared_ptr<Database> open_copy(std::string_view name) const {
    DatabaseOptions asked = clocked();
    asked.path = path(name);
    return Database::open(asked);
  }
  /// A copy of what fill() put says so, indexes it, and lets it end in time.
  void expect_whole(std::string_view name) const {
    const auto copy = open_copy(name);
    EXPECT_TRUE(copy->check().findings.empty());
    EXPECT_EQ(DbTest::get(*copy, "plain", "key"), "value");
    const std::vector<ByteTable> tables{copy->table("sessions"), sealed_in(*copy)};
    copy->view([&](const ReadTransaction& txn) {
      for (const ByteTable& each : tables) {
        EXPECT_EQ(content(each, txn), (Content{{"a", "short"}, {"b", "long"}, {"c", "for ever"}}));
        EXPECT_EQ(each.ttl(txn, as_bytes("a")), 30ms);
        EXPECT_EQ(each.ttl(txn, as_bytes("b")), 1h);
        EXPECT_EQ(each.ttl(txn, as_bytes("c")), milliseconds::max());
      }
    });
    clock->pass(30ms);
    copy->view([&](const ReadTransaction& txn) {
      for (const ByteTable& each : tables) expect_one_truth(each, txn, {"b", "c"});
    });
    copy->update([&](WriteTransaction& txn) {
      for (const ByteTable& each : tables) EXPECT_EQ(each.purge_expired(txn, 10), 1U) << "the index is there";
    });
    EXPECT_TRUE(copy->check().findings.empty());
  }
  [[nodiscard]] StoredFile closed_file() {
    db.reset();
    return StoredFile(path() / "data.mdb");
  }
  [[nodiscard]] bool has_index() const {
    return StoredFile(path() / "data.mdb").content().find(detail::expiry_table_name) != std::string::npos;
  }
};

TEST_F(ExpiringStore, ABackupRestoredHasTheDeadlines) {
  fill();
  static_cast<void>(backup(*db, path("backup")));
  static_cast<void>(restore(path("backup"), path("restored")));
  expect_whole("restored");
}

TEST_F(ExpiringStore, ACompactedCopyHasTheDeadlines) {
  fill();
  static_cast<void>(compact_to(*db, path("compact")));
  expect_whole("compact");
}

TEST_F(ExpiringStore, ADumpHasTheDeadlinesOfWhatIsDueTooAndLoadsThemUnderNewIds) {
  DbTest::put(*db, "first", "so that", "ids differ");
  fill();
  db->update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, "first")); });
  clock->pass(2h);
  std::ostringstream out;
  static_cast<void>(dump(*db, out));
  clock->pass(-2h);
  std::istringstream in(out.str());
  EXPECT_EQ(load(in, path("loaded")).entries, 7U);
  expect_whole("loaded");
}

TEST_F(ExpiringStore, AnExpiringTableWithoutEntriesIsLoadedAndSalvagedWithItsIndex) {
  update([&](WriteTransaction& txn) { table.put(txn, as_bytes("a"), {}, 1h), table.clear(txn); });
  std::ostringstream out;
  static_cast<void>(dump(*db, out));
  std::istringstream in(out.str());
  static_cast<void>(load(in, path("loaded")));
  db.reset();
  static_cast<void>(salvage(path(), path("salvaged")));
  for (const char* name : {"loaded", "salvaged"}) {
    const auto copy = open_copy(name);
    EXPECT_TRUE(copy->check().findings.empty()) << name;
    copy->update([&](WriteTransaction& txn) { copy->table("sessions").put(txn, as_bytes("a"), as_bytes("1"), 1h); });
    EXPECT_TRUE(copy->check().findings.empty()) << name;
  }
}

TEST_F(ExpiringStore, ASalvagedStoreHasTheDeadlines) {
  fill();
  db.reset();
  EXPECT_TRUE(salvage(path(), path("fresh")).found.is_sound());
  expect_whole("fresh");
}

TEST_F(ExpiringStore, SalvageIndexesWhatItCopiesAndNothingElse) {
  update([&](WriteTransaction& txn) {
    for (int i = 1'000; i < 2'000; ++i) table.put(txn, as_bytes(std::to_string(i)), as_bytes("value"), 1h);
  });
  StoredFile damaged = closed_file();
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("table.1").root, "1500").value();
  damaged.bytes(leaf)[0] ^= 1;
  damaged.store();
  const SalvageReport report = salvage(path(), path("fresh"));
  EXPECT_GT(report.entries, 700U);
  EXPECT_LT(report.entries, 1'000U);
  const auto fresh = open_copy("fresh");
  EXPECT_TRUE(fresh->check().findings.empty());
  clock->pass(1h);
  fresh->update([&](WriteTransaction& txn) {
    EXPECT_EQ(fresh->table("sessions", {.expiry = Expiry::per_entry}).purge_expired(txn, 2'000), report.entries);
  });
}

TEST_F(ExpiringStore, SalvageMakesADamagedIndexAnew) {
  fill();
  StoredFile damaged = closed_file();
  damaged.bytes(damaged.tree(detail::expiry_table_name).root)[0] ^= 1;
  damaged.store();
  EXPECT_TRUE(salvage(path(), path("fresh")).found.is_damaged());
  expect_whole("fresh");
}

TEST_F(ExpiringStore, WithoutAnIndexOpensAndGetsItWithItsFirstExpiringTable) {
  DbTest::put(*db, "plain", "key", "value");
  EXPECT_TRUE(db->check().findings.empty());
  db.reset();
  EXPECT_FALSE(has_index());
  db = Database::open(clocked());
  table = expiring("sessions");
  const ReadTransaction before = db->begin_read();
  put("key", "value", 30ms);
  EXPECT_EQ(table.count(before), 0U);
  EXPECT_EQ(rows_in_index(), 1U);
  EXPECT_TRUE(db->check().findings.empty());
  EXPECT_TRUE(has_index());
}

TEST_F(ExpiringStore, AnIndexMadeInWhatIsRolledBackIsMadeAgain) {
  DatabaseOptions small = clocked();
  small.write_set_bytes = 64;
  const auto spilling = Database::open(small);
  for (int i = 0; i < 2; ++i) {
    auto txn = spilling->begin_write();
    table.put(txn, as_bytes("key"), as_bytes(std::string(100, 'v')), 30ms);
    EXPECT_EQ(table.count(txn), 1U);
    txn.rollback();
    EXPECT_EQ(rows_in_index(), 0U);
  }
  put("key", "value", 30ms);
  EXPECT_EQ(rows_in_index(), 1U);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ExpiringStore, TheIndexStaysWhenItsLastTableGoesAndIsTakenUpByTheNext) {
  put("key", "value", 30ms);
  update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, "sessions")); });
  EXPECT_TRUE(db->check().findings.empty());
  put("key", "again", 30ms);
  EXPECT_EQ(rows_in_index(), 1U);
  update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, "sessions")); });
  db.reset();
  db = Database::open(clocked());
  update([&](WriteTransaction& txn) {
    expiring("one").put(txn, as_bytes("key"), {}, 30ms);
    EXPECT_TRUE(db->rename_table(txn, "one", "two"));
    EXPECT_EQ(expiring("two").count(txn), 1U);
  });
  EXPECT_EQ(rows_in_index(), 1U);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(ExpiringStore, AnIndexThatIsLostIsCorruptAndAFinding) {
  put("key", "value", 30ms);
  StoredFile damaged = closed_file();
  damaged.tree_record(detail::expiry_table_name)[-1] = 'z';
  damaged.store();
  const CheckReport report = check(path());
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings.front().table, detail::expiry_table_name);
  db = Database::open(clocked());
  table = expiring("sessions");
  EXPECT_THROW(static_cast<void>(get("key")), CorruptionError);
}

TEST_F(ExpiringStore, CheckComparesTheIndexWithTheEntries) {
  const auto findings = [&] { return db->check().findings; };
  update([&](WriteTransaction& txn) {
    for (int i = 0; i < 500; ++i)
      table.put(txn, as_bytes("k" + std::to_string(i)), as_bytes("v"), i % 3 == 0 ? TimeToLive::forever() : 1h);
    table.put(txn, as_bytes("one"), as_bytes("v"), 30ms);
  });
  EXPECT_TRUE(findings().empty());
  const auto tamper = [&](auto write) {
    std::optional<detail::WriteBase> txn;
    const detail::Deadline until(clock, 1s);
    const auto turn = detail::WriterTurn::take(db->environment(), until);
    const auto index =
        detail::begin_indexed(db->environment(), [&]() -> detail::WriteBase& { return txn.emplace(turn, until); });
    write(*txn, index->expiry());
    txn->commit(Durability::ordered);
  };
  const Bytes row = detail::index_key(1, detail::unix_ms(clock->now()) + 30, as_bytes("one"));
  tamper([&](detail::WriteBase& txn, detail::LmdbHandle index) { EXPECT_TRUE(txn.erase(index, row)); });
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings().front().table, "sessions");
  EXPECT_EQ(findings().front().want, "334 deadlines in the expiry index, those of its entries");
  EXPECT_EQ(findings().front().got, "333");
  tamper([&](detail::WriteBase& txn, detail::LmdbHandle index) {
    txn.put(index, row, {});
    txn.put(index, detail::index_key(99, 1, as_bytes("ghost")), {});
  });
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings().front().table, detail::expiry_table_name) << "of no table";
}

TEST_F(ExpiringStore, SealedValuesKeepTheirDeadlines) {
  const ByteTable sealed = sealed_in(*db);
  update([&](WriteTransaction& txn) {
    sealed.put(txn, as_bytes("a"), as_bytes("1"), 30ms);
    sealed.put(txn, as_bytes("b"), as_bytes("2"), 10ms);
    EXPECT_TRUE(sealed.expire(txn, as_bytes("b"), 1h));
  });
  EXPECT_EQ(at("a", sealed), "1");
  clock->pass(30ms);
  EXPECT_EQ(at("a", sealed), std::nullopt);
  EXPECT_EQ(at("b", sealed), "2");
}

TEST_F(ExpiringStore, ASealCoversTheDeadline) {
  fill();
  const detail::UnixMs deadline = detail::unix_ms(clock->now()) + 3'600'000;
  StoredFile damaged = closed_file();
  const auto bytes = little_endian(deadline);
  const std::string text(as_text(ByteView(bytes)));
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("table.3").root, text).value();
  damaged.bytes(leaf)[damaged.page(leaf).find(text) + 5] ^= 2;  // years later
  damaged.store();
  db = Database::open(clocked());
  const ByteTable sealed = sealed_in(*db);
  EXPECT_EQ(at("a", sealed), "short");
  EXPECT_THROW(static_cast<void>(at("b", sealed)), CorruptionError);
  db->view([&](const ReadTransaction& txn) {
    EXPECT_THROW(static_cast<void>(content(sealed, txn)), CorruptionError);
    EXPECT_THROW(static_cast<void>(sealed.ttl(txn, as_bytes("b"))), CorruptionError);
  });
  update([&](WriteTransaction& txn) {
    EXPECT_THROW(static_cast<void>(sealed.expire(txn, as_bytes("b"), 1h)), CorruptionError);
  });
  EXPECT_TRUE(db->check().is_damaged());
  std::ostringstream out;
  EXPECT_THROW(static_cast<void>(dump(*db, out)), CorruptionError);
}

}  // namespace
}  // namespace holdfast::testing
