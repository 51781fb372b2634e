#include "holdfast/db/salvage.hpp"

#include "db_fixture.hpp"
#include "stored_file.hpp"

namespace holdfast {
namespace {

using testing::refused_with;
using testing::StoredFile;

class Salvage : public testing::DbTest {
 protected:
  void SetUp() override {
    const auto db = open();
    const ByteTable table = db->table("many");
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 1'000; ++i) table.put(txn, as_bytes(std::to_string(1'000 + i)), as_bytes("value"));
    });
    put(*db, "few", "k", "v");
  }
  [[nodiscard]] StoredFile file() const { return StoredFile(path() / "data.mdb"); }
};

TEST_F(Salvage, OfASoundStoreCopiesAllOfIt) {
  const SalvageReport report = salvage(path(), path("fresh"));
  EXPECT_TRUE(report.found.is_sound());
  EXPECT_EQ(report.tables, 2U);
  EXPECT_EQ(report.entries, 1'001U);
  EXPECT_EQ(open("fresh")->id(), open()->id());
  EXPECT_TRUE(open("fresh")->check().is_sound());
}

TEST_F(Salvage, LosesOnlyThePageThatIsDamagedAndSaysWhich) {
  StoredFile damaged = file();
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("table.1").root, "1500").value();
  damaged.bytes(leaf)[0] ^= 1;
  damaged.store();
  const SalvageReport report = salvage(path(), path("fresh"));
  ASSERT_EQ(report.found.findings.size(), 1U) << report.found.findings.back().describe();
  EXPECT_EQ(report.found.findings[0].page, leaf);
  EXPECT_LT(report.entries, 1'001U);
  EXPECT_GT(report.entries, 700U);
  const auto fresh = open("fresh");
  EXPECT_EQ(get(*fresh, "many", "1000"), "value");
  EXPECT_EQ(get(*fresh, "many", "1999"), "value");
  EXPECT_EQ(get(*fresh, "many", "1500"), std::nullopt);
  EXPECT_EQ(get(*fresh, "few", "k"), "v");
  EXPECT_TRUE(fresh->check().is_sound());
  EXPECT_EQ(file().content(), damaged.content());
}

TEST_F(Salvage, OfTreesThatCrossTrustsNeither) {
  StoredFile crossed = file();
  crossed.set_tree("table.2", crossed.tree("table.1"));
  crossed.store();
  const SalvageReport report = salvage(path(), path("fresh"));
  EXPECT_TRUE(report.found.is_damaged());
  EXPECT_EQ(report.entries, 0U);
}

TEST_F(Salvage, KeepsTheEntriesOfATableWhoseNameIsLost) {
  StoredFile damaged = file();
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("holdfast.meta").root, "table/many").value();
  damaged.bytes(leaf)[damaged.page(leaf).find("table/many") + 6] = 'n';
  damaged.store();
  const SalvageReport report = salvage(path(), path("fresh"));
  EXPECT_TRUE(report.found.is_damaged());
  EXPECT_EQ(report.entries, 1'001U);
  const auto fresh = open("fresh");
  EXPECT_EQ(get(*fresh, "many", "1000"), std::nullopt);
  EXPECT_EQ(get(*fresh, "recovered.3", "1000"), "value");
  put(*fresh, "another", "k", "v");
  EXPECT_TRUE(fresh->check().is_sound());
}

TEST_F(Salvage, CallsATableWhoseNameIsLostAsNoOtherIsCalled) {
  put(*open(), "recovered.4", "k", "mine");
  StoredFile damaged = file();
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("holdfast.meta").root, "table/many").value();
  damaged.bytes(leaf)[damaged.page(leaf).find("table/many") + 6] = 'n';
  damaged.store();
  EXPECT_EQ(salvage(path(), path("fresh")).entries, 1'002U);
  const auto fresh = open("fresh");
  EXPECT_EQ(get(*fresh, "recovered.4", "k"), "mine");
  EXPECT_EQ(get(*fresh, "recovered.5", "1000"), "value");
  EXPECT_TRUE(fresh->check().is_sound());
}

TEST_F(Salvage, GoesByTheCommitBeforeWhereTheLastMetaPageIsGone) {
  {
    const auto db = open();
    put(*db, "few", "last", "commit");
  }
  StoredFile damaged = file();
  std::fill_n(damaged.bytes(damaged.current_number()), 4096, 'x');
  damaged.store();
  try {
    const SalvageReport report = salvage(path(), path("fresh"));
    EXPECT_TRUE(report.found.is_damaged());
    EXPECT_EQ(get(*open("fresh"), "few", "k"), "v");
    EXPECT_EQ(get(*open("fresh"), "few", "last"), std::nullopt);
  } catch (const Error& error) {
    ADD_FAILURE() << error.what();
  }
}

TEST_F(Salvage, IsRefusedWhileTheStoreIsOpenAndOverwritesNothing) {
  {
    const auto db = open();
    EXPECT_EQ(refused_with([&] { static_cast<void>(salvage(path(), path("fresh"))); }), State::in_use);
  }
  std::filesystem::create_directory(path("taken"));
  EXPECT_THROW(static_cast<void>(salvage(path(), path("taken"))), IoError);
}

}  // namespace
}  // namespace holdfast
