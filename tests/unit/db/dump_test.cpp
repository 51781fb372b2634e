#include "holdfast/db/dump.hpp"

#include <random>
#include <sstream>

#include "db_fixture.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/seal/checksum.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

using testing::refused_with;

class Dump : public testing::DbTest {
 protected:
  static std::string dumped(const Database& db) {
    std::ostringstream out;
    EXPECT_EQ(dump(db, out).outcome, Outcome::finished);
    return out.str();
  }
  DumpReport loaded(const std::string& text, std::string_view name = "loaded") const {
    std::istringstream in(text);
    return load(in, path(name));
  }
  /// Why a dump is refused: "corrupt", "foreign", "newer"; whatever is refused, nothing may be there.
  std::string refusal(const std::string& text) const {
    std::string why = "loaded";
    try {
      static_cast<void>(loaded(text));
    } catch (const CorruptionError&) {
      why = "corrupt";
    } catch (const StateError& error) {
      why = error.facts().state == State::foreign ? "foreign" : "newer";
    } catch (const Error& error) {
      why = error.what();
    }
    EXPECT_EQ(why == "loaded", std::filesystem::exists(path("loaded")));
    std::filesystem::remove_all(path("loaded"));
    for (const auto& left : std::filesystem::directory_iterator(path().parent_path()))
      EXPECT_EQ(left.path().filename().string().find(".holdfast-new-"), std::string::npos);
    return why;
  }
  static ByteTable sealed(const Database& db) {
    return db.table("sealed", {.schema_version = 3, .seal = std::make_shared<ChecksumSeal>()});
  }
  std::shared_ptr<Database> small() const {
    auto db = open();
    put(*db, "t", "a=b c%\n", std::string("\0\xff value", 8));
    put(*db, "t", "", "empty key");
    put(*db, "t", std::string(1, '\0'), "");
    put(*db, "name with = and \n", "k", "v");
    const ByteTable table = sealed(*db);
    db->update([&](WriteTransaction& txn) { table.put(txn, as_bytes("k"), as_bytes("sealed value")); });
    return db;
  }
};

TEST_F(Dump, LoadedGivesTheSameTablesUnderAnotherIdAndTheSameDumpAgain) {
  const auto db = small();
  const std::string text = dumped(*db);
  EXPECT_EQ(text.find("sealed value"), std::string::npos);
  const DumpReport report = loaded(text);
  EXPECT_EQ(report.tables, 3U);
  EXPECT_EQ(report.entries, 5U);
  const auto copy = open("loaded");
  EXPECT_NE(copy->id(), db->id());
  EXPECT_EQ(get(*copy, "t", "a=b c%\n"), std::string("\0\xff value", 8));
  EXPECT_EQ(get(*copy, "t", ""), "empty key");
  EXPECT_EQ(get(*copy, "t", std::string(1, '\0')), "");
  EXPECT_EQ(get(*copy, "name with = and \n", "k"), "v");
  copy->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(to_text(sealed(*copy).get(txn, as_bytes("k")).value()), "sealed value");
  });
  EXPECT_TRUE(copy->check().is_sound());
  const auto body = [](const std::string& whole) {
    const std::size_t from = whole.find("table ");
    return whole.substr(from, whole.rfind("sha256") - from);
  };
  EXPECT_EQ(body(dumped(*copy)), body(text));
}

TEST_F(Dump, OfAnyBytesLoadsBack) {
  std::mt19937_64 random(testing::test_seed());
  const auto db = open();
  const ByteTable table = db->table("t");
  const auto bytes = [&](std::size_t most) {
    std::string all(random() % (most + 1), '\0');
    for (char& c : all) c = static_cast<char>(random());
    return all;
  };
  db->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 500; ++i) table.put(txn, as_bytes(bytes(100)), as_bytes(bytes(i % 50 == 0 ? 90'000 : 300)));
  });
  static_cast<void>(loaded(dumped(*db)));
  const auto copy = open("loaded");
  const ReadTransaction before = db->begin_read();
  const ReadTransaction after = copy->begin_read();
  EXPECT_EQ(content(table, before), content(copy->table("t"), after));
  EXPECT_TRUE(copy->check().is_sound());
}

TEST_F(Dump, CutAnywhereIsRefused) {
  const std::string text = dumped(*small());
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_NE(refusal(text.substr(0, size)), "loaded") << size;
  EXPECT_EQ(refusal(text), "loaded");
}

TEST_F(Dump, AlteredAnywhereIsRefused) {
  const std::string text = dumped(*small());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string altered = text;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    EXPECT_NE(refusal(altered), "loaded") << at;
  }
  EXPECT_EQ(refusal(text + "\n"), "corrupt");
}

/// A dump whose digest is right, whatever it says.
std::string with_digest(std::string text) {
  return text + "sha256 " + to_hex(sha256(as_bytes(text))) + "\n";
}

TEST_F(Dump, ThatLiesWithARightDigestIsRefused) {
  const std::string head = "holdfast-dump 1\nstore id=00\n";
  const std::string table = "table name=t flags=0 schema=0 key=ordered/1 value=raw/1 seal=\n";
  const std::string backend = "backend\nend entries=0\n";
  EXPECT_EQ(refusal(with_digest(head + table + "a=1\nend entries=1\n" + backend)), "loaded");
  EXPECT_EQ(refusal(with_digest(head + table + "a=1\nend entries=2\n" + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + table + "b=1\na=1\nend entries=2\n" + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + table + "a=1\na=1\nend entries=2\n" + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + table + "end entries=0\n" + table + "end entries=0\n" + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + table + "a=%6\nend entries=1\n" + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + table + "a=%61\nend entries=1\n" + backend)), "corrupt") << "not canonical";
  EXPECT_EQ(refusal(with_digest(head + table + "a\nend entries=1\n" + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + "table name=holdfast%2emeta flags=0 schema=0 key=ordered/1 value=raw/1 seal=\n" +
                                "end entries=0\n" + backend)),
            "corrupt");
  EXPECT_EQ(refusal(with_digest(head + table + "a=1\n")), "corrupt");
  EXPECT_EQ(refusal(with_digest(head)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + backend + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(head + table + std::string(512, 'k') + "=1\nend entries=1\n" + backend)), "corrupt");
  EXPECT_EQ(refusal(with_digest(
                head + "table name=t flags=8 schema=0 key=ordered/1 value=raw/1 seal=\nend entries=0\n" + backend)),
            "newer");
  EXPECT_NE(refusal(with_digest(head + "table name=t flags=0 schema=0 key=ordered/1 value=raw/1 seal=none%2f1\n" +
                                "end entries=0\n" + backend))
                .find("none/1"),
            std::string::npos);
  const std::string expiring = "table name=t flags=1 schema=0 key=ordered/1 value=raw/1 seal=\n";
  const std::string deadline = "%ff%ff%ff%ff%ff%ff%ff%ff";
  EXPECT_EQ(refusal(with_digest(head + expiring + "a=" + deadline + "1\nend entries=1\n" + backend)), "loaded");
  EXPECT_EQ(refusal(with_digest(head + expiring + "a=1234567\nend entries=1\n" + backend)), "corrupt");
  EXPECT_NE(
      refusal(with_digest(head + expiring + std::string(496, 'k') + "=" + deadline + "\nend entries=1\n" + backend))
          .find("max_expiring_key_bytes"),
      std::string::npos);
  EXPECT_EQ(refusal(with_digest("holdfast-dump 2\n" + backend)), "newer");
  EXPECT_EQ(refusal("VERSION=3\nformat=bytevalue\n"), "foreign");
  EXPECT_EQ(refusal(std::string(10'000, '\0')), "foreign");
}

TEST_F(Dump, OfMoreTablesThanAStoreHoldsIsRefused) {
  std::string text = "holdfast-dump 1\nstore id=00\n";
  for (std::size_t i = 0; i <= limits::max_tables; ++i)
    text += "table name=t" + std::to_string(i) + " flags=0 schema=0 key=ordered/1 value=raw/1 seal=\nend entries=0\n";
  EXPECT_THROW(static_cast<void>(loaded(with_digest(text + "backend\nend entries=0\n"))), LimitError);
}

TEST_F(Dump, IsNotLoadedOverAnything) {
  const std::string text = dumped(*small());
  std::filesystem::create_directory(path("taken"));
  EXPECT_THROW(static_cast<void>(loaded(text, "taken")), IoError);
  EXPECT_TRUE(std::filesystem::is_empty(path("taken")));
}

TEST_F(Dump, StoppedHasNoDigestAndDoesNotLoad) {
  const auto db = small();
  std::stop_source stop;
  stop.request_stop();
  DumpOptions asked;
  asked.work.stop = stop.get_token();
  std::ostringstream out;
  EXPECT_EQ(dump(*db, out, asked).outcome, Outcome::stopped);
  EXPECT_EQ(refusal(out.str()), "corrupt");
}

TEST_F(Dump, ThatCannotBeWrittenIsAnIoError) {
  const auto db = small();
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_THROW(static_cast<void>(dump(*db, out)), IoError);
}

}  // namespace
}  // namespace holdfast
