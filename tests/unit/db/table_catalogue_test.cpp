#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "db_fixture.hpp"
#include "holdfast/db/migrate.hpp"
#include "holdfast/db/typed_table.hpp"
#include "holdfast/seal/checksum.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

using testing::refused_with;

const auto checksum = std::make_shared<const ChecksumSeal>();

/// Stores values with every byte changed: nothing of them can be lent.
class InvertingSeal final : public Seal {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "inverting/1"; }
  [[nodiscard]] std::size_t overhead_bytes() const noexcept override { return 0; }
  void seal(const Place&, ByteView value, Bytes& out) const override { append(out, ByteView(inverted(value))); }
  [[nodiscard]] ByteView open(const Place&, ByteView sealed, Bytes& scratch) const override {
    return scratch = inverted(sealed);
  }

 private:
  static Bytes inverted(ByteView bytes) {
    Bytes out = to_bytes(bytes);
    for (std::byte& byte : out) byte = ~byte;
    return out;
  }
};

class TableCatalogue : public testing::DbTest {
 protected:
  std::shared_ptr<Database> db_ = open();

  static std::string problem_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const StateError& error) {
      if (error.facts().state == State::mismatched) return error.facts().problem;
    }
    return "not refused";
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const TableInfo& info : db_->tables()) names.push_back(info.name);
    return names;
  }
};

TEST_F(TableCatalogue, ListsWhatTablesAreLike) {
  const Table<std::uint32_t, Json> documents(*db_, "documents", {.schema_version = 3, .seal = checksum});
  const Table<std::string, std::string> texts(*db_, "texts");
  db_->update([&](WriteTransaction& txn) {
    documents.put(txn, 1, Json::object());
    documents.put(txn, 2, Json::array());
    texts.put(txn, "k", "v");
  });
  const CodecName ordered{.name = "ordered", .version = 1};
  EXPECT_EQ(db_->tables(), (std::vector<TableInfo>{
                               {.name = "documents",
                                .id = 1,
                                .codecs = {.key = ordered, .value = {.name = "json", .version = 1}},
                                .schema_version = 3,
                                .seal = "checksum/1",
                                .count = 2},
                               {.name = "texts", .id = 2, .codecs = {}, .schema_version = 0, .seal = {}, .count = 1}}));
}

TEST_F(TableCatalogue, OtherCodecsSchemaOrSealAreRefusedNamingBoth) {
  const Table<std::string, Json> made(*db_, "t", {.schema_version = 2});
  db_->update([&](WriteTransaction& txn) { made.put(txn, "k", 1); });
  for (const auto& db : {db_, open()}) {
    const ReadTransaction txn = db->begin_read();
    const Table<std::string, Json> schema(*db, "t", {.schema_version = 3});
    EXPECT_EQ(problem_of([&] { static_cast<void>(schema.get(txn, "k")); }),
              "schema version: it was made with 2, not with 3");
    const Table<std::string, std::string> codec(*db, "t", {.schema_version = 2});
    EXPECT_EQ(problem_of([&] { static_cast<void>(codec.count(txn)); }),
              "value codec: it was made with json 1, not with raw 1");
    EXPECT_EQ(problem_of([&] { static_cast<void>(codec.range(txn)); }),
              "value codec: it was made with json 1, not with raw 1");
    const Table<std::string, Json, JsonCodec<Json>, RawCodec<std::string>> keys(*db, "t", {.schema_version = 2});
    EXPECT_EQ(problem_of([&] { static_cast<void>(keys.first(txn)); }),
              "key codec: it was made with ordered 1, not with raw 1");
    const Table<std::string, Json> seal(*db, "t", {.schema_version = 2, .seal = checksum});
    EXPECT_EQ(problem_of([&] { static_cast<void>(seal.contains(txn, "k")); }),
              "seal: it was made with none, not with checksum/1");
    EXPECT_EQ(made.get(txn, "k"), std::optional<Json>(1));
  }
}

TEST_F(TableCatalogue, AnyTableReadsRawAndTypedOnesAreNotWrittenSo) {
  const Table<std::uint16_t, Json> made(*db_, "t", {.schema_version = 2});
  const Table<Bytes, Bytes> raw(*db_, "t");
  db_->update([&](WriteTransaction& txn) { made.put(txn, 7, "x"); });
  db_->update([&](WriteTransaction& txn) {
    EXPECT_EQ(to_text(*raw.get(txn, Bytes{std::byte{0}, std::byte{7}})), "\"x\"");
    EXPECT_EQ(raw.first(txn)->key.size(), 2U);
    EXPECT_EQ(refused_with([&] { raw.put(txn, as_bytes("k"), as_bytes("v")); }), State::mismatched);
    EXPECT_EQ(refused_with([&] { raw.erase(txn, Bytes{std::byte{0}, std::byte{7}}); }), State::mismatched);
    EXPECT_EQ(refused_with([&] { raw.clear(txn); }), State::mismatched);
  });
  const Table<std::string, std::string> texts(*db_, "texts");
  db_->update(
      [&](WriteTransaction& txn) { Table<Bytes, Bytes>(*db_, "texts").put(txn, as_bytes("k"), as_bytes("v")); });
  EXPECT_EQ(db_->view([&](const ReadTransaction& txn) { return texts.get(txn, "k"); }), "v");
}

TEST_F(TableCatalogue, DroppedAndMadeAnewInOneTransactionATableIsAnother) {
  const Table<std::string, std::string> texts(*db_, "t");
  const Table<std::string, Json> documents(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 500; ++i) texts.put(txn, std::to_string(i), "text");
  });
  const std::uint64_t id = db_->tables().front().id;
  const ReadTransaction before = db_->begin_read();
  db_->update([&](WriteTransaction& txn) {
    texts.put(txn, "late", "text");
    EXPECT_TRUE(db_->drop_table(txn, "t"));
    EXPECT_FALSE(db_->drop_table(txn, "t"));
    EXPECT_EQ(texts.count(txn), 0U);
    documents.put(txn, "k", 1);
    EXPECT_EQ(documents.count(txn), 1U);
  });
  EXPECT_EQ(texts.count(before), 500U);  // nobody was waited for
  EXPECT_EQ(texts.get(before, "77"), "text");
  const ReadTransaction after = db_->begin_read();
  EXPECT_EQ(documents.get(after, "k"), std::optional<Json>(1));
  EXPECT_EQ(documents.count(after), 1U);
  EXPECT_GT(db_->tables().front().id, id);
}

TEST_F(TableCatalogue, ADropThatIsRolledBackNeverWas) {
  const Table<std::string, std::string> table(*db_, "t");
  db_->update([&](WriteTransaction& txn) { table.put(txn, "k", "v"); });
  {
    CommittableTransaction txn = db_->begin_write();
    EXPECT_TRUE(db_->drop_table(txn, "t"));
    txn.rollback();
  }
  db_->update([&](WriteTransaction& txn) {
    EXPECT_THROW(txn.savepoint([&] {
      db_->drop_table(txn, "t");
      db_->table("other").put(txn, as_bytes("k"), {});
      throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_EQ(table.get(txn, "k"), "v");
    table.put(txn, "l", "w");
  });
  EXPECT_EQ(names(), std::vector<std::string>{"t"});
  EXPECT_EQ(db_->view([&](const ReadTransaction& txn) { return table.count(txn); }), 2U);
}

TEST_F(TableCatalogue, DroppingAndMakingForEverNeedsNoMoreThanTheLimit) {
  auto few = options("few");
  few.max_tables = 2;
  const auto db = Database::open(few);
  for (int i = 0; i < 20; ++i) {
    db->update([&](WriteTransaction& txn) {
      const Table<int, int> table(*db, "t" + std::to_string(i));
      EXPECT_EQ(table.count(txn), 0U);
      for (int k = 0; k < 100; ++k) table.put(txn, k, i);
      if (i > 0) db->drop_table(txn, "t" + std::to_string(i - 1));
    });
  }
  EXPECT_EQ(db->tables().size(), 1U);
  EXPECT_TRUE(db->check().findings.empty());
}

TEST_F(TableCatalogue, HasAtMostItsLimitOfTables) {
  auto few = options("few");
  few.max_tables = 3;
  const auto db = Database::open(few);
  db->update([&](WriteTransaction& txn) {
    for (const char* name : {"a", "b", "c"}) db->table(name).put(txn, {}, {});
    try {
      db->table("d").put(txn, {}, {});
      FAIL() << "made";
    } catch (const LimitError& error) {
      EXPECT_EQ(error.facts().limit, "max_tables");
      EXPECT_EQ(error.facts().actual, 4U);
    }
    EXPECT_TRUE(db->drop_table(txn, "b"));
    db->table("d").put(txn, {}, {});
  });
  EXPECT_EQ(db->tables().size(), 3U);
}

TEST_F(TableCatalogue, ThatAnotherProcessHasExtendedIsReadWhileATransactionThatSpilledIsOpen) {
  static_cast<void>(open("shared"));
  int order[2] = {-1, -1};
  ASSERT_EQ(::pipe(order), 0);
  testing::ChildProcess child([&](const testing::ChildProcess::Voice& voice) {
    const auto db = open("shared");
    char go = 0;
    if (::read(order[0], &go, 1) != 1) return;
    put(*db, "theirs", "k", "v");
    voice.tell(1);
  });
  auto options = this->options("shared");
  options.write_set_bytes = 1000;
  const auto db = Database::open(options);
  put(*db, "ours", "k", "v");
  ASSERT_EQ(::write(order[1], "g", 1), 1);
  ASSERT_TRUE(child.hear());
  std::future<std::optional<std::string>> read;
  db->update([&](WriteTransaction& txn) {
    db->table("new").put(txn, as_bytes("k"), Bytes(100'000));  // spills
    read = std::async(std::launch::async, [&] { return get(*db, "theirs", "k"); });
    ASSERT_EQ(read.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    EXPECT_EQ(read.get(), "v");
  });
  ::close(order[0]);
  ::close(order[1]);
}

TEST_F(TableCatalogue, HasAThousandAndTwentyFourTablesByItselfAndNoMore) {
  const auto name = [](int i) { return "t" + std::to_string(i); };
  constexpr int most = 1024;
  {
    const auto db = open("many");
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < most; ++i) db->table(name(i)).put(txn, as_bytes("k"), as_bytes(name(i)));
    });
    try {
      put(*db, name(most), "k", "v");
      FAIL() << "made";
    } catch (const LimitError& error) {
      EXPECT_EQ(error.facts().limit, "max_tables");
      EXPECT_EQ(error.facts().maximum, 1024U);
    }
  }
  const auto db = open("many");
  EXPECT_EQ(db->tables().size(), 1024U);
  db->view([&](const ReadTransaction& txn) {
    for (int i = 0; i < most; ++i) EXPECT_EQ(db->table(name(i)).get(txn, as_bytes("k")), to_bytes(name(i)));
  });
  db->update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, name(7))); });
  put(*db, name(most), "k", "v");
}

TEST_F(TableCatalogue, RenamedATableKeepsItsIdAndItsSealedRows) {
  const Table<std::string, std::string> old(*db_, "old", {.seal = checksum});
  const Table<std::string, std::string> renamed(*db_, "new", {.seal = checksum});
  db_->update([&](WriteTransaction& txn) { old.put(txn, "k", "v"); });
  const ReadTransaction before = db_->begin_read();
  db_->update([&](WriteTransaction& txn) {
    EXPECT_FALSE(db_->rename_table(txn, "none", "x"));
    EXPECT_THROW(db_->rename_table(txn, "old", "holdfast.x"), OptionError);
    EXPECT_TRUE(db_->rename_table(txn, "old", "new"));
    EXPECT_EQ(renamed.get(txn, "k"), "v");
    EXPECT_EQ(old.get(txn, "k"), std::nullopt);
    old.put(txn, "k", "another table");
    EXPECT_THROW(db_->rename_table(txn, "old", "new"), ConflictError);
    EXPECT_TRUE(db_->rename_table(txn, "new", "new"));
  });
  EXPECT_EQ(old.get(before, "k"), "v");
  const ReadTransaction after = db_->begin_read();
  EXPECT_EQ(renamed.get(after, "k"), "v");
  EXPECT_EQ(old.get(after, "k"), "another table");
  EXPECT_EQ(names(), (std::vector<std::string>{"new", "old"}));
}

TEST_F(TableCatalogue, ASealIsNeededAndShowsAnyByteThatChanged) {
  const Table<std::string, std::string> table(*db_, "t", {.seal = checksum});
  db_->update([&](WriteTransaction& txn) {
    table.put(txn, "k", "value");
    EXPECT_EQ(table.get(txn, "k"), "value");  // also before the commit
  });
  const ReadTransaction txn = db_->begin_read();
  EXPECT_EQ(table.first(txn)->value, "value");
  EXPECT_EQ(as_text(*table.view(txn, "k")), "value");
  EXPECT_EQ(refused_with([&] { static_cast<void>(db_->table("t").get(txn, as_bytes("k"))); }), State::mismatched);
  EXPECT_EQ(refused_with([&] { static_cast<void>(Table<std::string, std::string>(*db_, "t").get(txn, "k")); }),
            State::mismatched);
  EXPECT_EQ(to_text(*db_->table("t", {.seal = checksum}).get(txn, as_bytes("k"))), "value");
}

TEST_F(TableCatalogue, AFlippedByteOfASealedValueIsCorruptionNamingTableAndKey) {
  const std::string value = "a value that is found in the file";
  {
    const Table<std::string, std::string> table(*db_, "t", {.seal = checksum});
    db_->update([&](WriteTransaction& txn) { table.put(txn, "k", value); });
    db_.reset();
  }
  const auto file = path() / "data.mdb";
  std::string bytes(std::filesystem::file_size(file), 0);
  std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto at = bytes.find(value);
  ASSERT_NE(at, std::string::npos);
  bytes[at] ^= 1;
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));

  db_ = open();
  const Table<std::string, std::string> table(*db_, "t", {.seal = checksum});
  const ReadTransaction txn = db_->begin_read();
  const auto expect_corruption = [](const auto& read) {
    try {
      read();
      FAIL() << "read";
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.facts().where, "table t, key \"k\"");
    }
  };
  expect_corruption([&] { static_cast<void>(table.get(txn, "k")); });
  auto range = table.bytes().scan_lent(txn);
  expect_corruption([&] { static_cast<void>(range.begin()); });
  expect_corruption([&] { static_cast<void>(range.begin()); });  // it is never the end
  EXPECT_TRUE(table.contains(txn, "k"));
}

TEST_F(TableCatalogue, ASealThatChangesValuesLendsThemForAsLongAsTheTransaction) {
  const Table<std::string, std::string> table(*db_, "t", {.seal = std::make_shared<InvertingSeal>()});
  db_->update([&](WriteTransaction& txn) {
    table.put(txn, "a", "one");
    table.put(txn, "b", "two");
    table.put(txn, "empty", "");
  });
  db_->view([&](const ReadTransaction& txn) {
    const ByteView one = *table.view(txn, "a");
    const ByteView two = *table.view(txn, "b");
    EXPECT_EQ(as_text(one), "one");
    EXPECT_EQ(as_text(two), "two");
    EXPECT_EQ(table.get(txn, "empty"), "");
    std::string all;
    for (const auto& entry : table.range(txn)) all += entry.value;
    EXPECT_EQ(all, "onetwo");
  });
}

TEST_F(TableCatalogue, MigratesATableToOtherTypesInOneTransaction) {
  const Table<std::string, std::string> texts(*db_, "t");
  const Table<std::uint32_t, Json> numbers(*db_, "t", {.schema_version = 2, .seal = checksum});
  db_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 200; ++i) texts.put(txn, std::to_string(i), std::to_string(2 * i));
    texts.put(txn, "dropped", "");
  });
  const ReadTransaction before = db_->begin_read();
  const auto convert = [](const auto& entry) -> std::optional<TableEntry<std::uint32_t, Json>> {
    if (entry.key == "dropped") return std::nullopt;
    return TableEntry<std::uint32_t, Json>{static_cast<std::uint32_t>(std::stoul(entry.key)), std::stoi(entry.value)};
  };
  EXPECT_EQ(db_->update([&](WriteTransaction& txn) { return migrate(txn, texts, numbers, convert); }), 200U);
  EXPECT_EQ(db_->update([&](WriteTransaction& txn) { return migrate(txn, texts, numbers, convert); }), 0U);
  const ReadTransaction txn = db_->begin_read();
  EXPECT_EQ(numbers.count(txn), 200U);
  EXPECT_EQ(numbers.get(txn, 199), std::optional<Json>(398));
  EXPECT_EQ(refused_with([&] { static_cast<void>(texts.get(txn, "1")); }), State::mismatched);
  EXPECT_EQ(texts.get(before, "199"), "398");
  EXPECT_EQ(names(), std::vector<std::string>{"t"});
}

TEST_F(TableCatalogue, AMigrationThatFailsLeavesTheTableAsItWas) {
  const Table<std::string, std::string> old(*db_, "t");
  const Table<std::string, std::string> next(*db_, "t", {.schema_version = 1});
  db_->update([&](WriteTransaction& txn) {
    old.put(txn, "a", "1");
    old.put(txn, "b", "2");
  });
  db_->update([&](WriteTransaction& txn) {
    const auto same_key = [](const auto& entry) { return TableEntry<std::string, std::string>{"same", entry.value}; };
    EXPECT_THROW(migrate(txn, old, next, same_key), ConflictError);
    const auto failing = [](const auto& entry) -> TableEntry<std::string, std::string> {
      if (entry.key == "b") throw 7;
      return entry;
    };
    EXPECT_THROW(migrate(txn, old, next, failing), int);
    const Table<std::string, std::string> stranger(*db_, "t", {.schema_version = 9});
    EXPECT_EQ(refused_with([&] { migrate(txn, stranger, next, failing); }), State::mismatched);
    EXPECT_THROW(migrate(txn, old, Table<std::string, std::string>(*db_, "u"), failing), OptionError);
    EXPECT_EQ(old.get(txn, "a"), "1");
  });
  EXPECT_EQ(names(), std::vector<std::string>{"t"});
  EXPECT_EQ(db_->view([&](const ReadTransaction& txn) { return old.count(txn); }), 2U);
}

}  // namespace
}  // namespace holdfast
