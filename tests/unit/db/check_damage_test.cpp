#include <gmock/gmock.h>

#include <random>

#include "db/catalogue.hpp"
#include "db/environment.hpp"
#include "db/free_list.hpp"
#include "db_fixture.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/seal/checksum.hpp"
#include "stored_file.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

using testing::StoredFile;

/// A store of two tables, in several pages and with free ones, closed, and damaged in the tests.
class CheckOfDamage : public testing::DbTest {
 protected:
  void SetUp() override {
    const auto db = open();
    put(*db, "other", "k", "v");
    const ByteTable table = db->table("t");
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 300; ++i)
        table.put(txn, as_bytes("key " + std::to_string(1000 + i)), as_bytes(std::string(30, 'v')));
    });
    put(*db, "t", "big", std::string(6'000, 'x'));
    put(*db, "t", "big", std::string(7'000, 'y'));
    put(*db, "other", "k", "w");
  }
  [[nodiscard]] StoredFile file() const { return StoredFile(path() / "data.mdb"); }
  [[nodiscard]] CheckReport checked(const StoredFile& damaged) const {
    damaged.store();
    return check(path());
  }
  /// The first finding of a damaged store, in words.
  [[nodiscard]] std::string first_finding(const StoredFile& damaged) const {
    const CheckReport report = checked(damaged);
    return report.findings.empty() ? "none" : report.findings.front().describe();
  }
};

TEST_F(CheckOfDamage, FindsNumbersThatARecordHasWrong) {
  const StoredFile sound = file();
  const auto wrong = [&](auto change) {
    StoredFile damaged = sound;
    detail::Tree tree = damaged.tree("table.2");
    change(tree);
    damaged.set_tree("table.2", tree);
    return first_finding(damaged);
  };
  EXPECT_EQ(first_finding(sound), "none");
  using ::testing::HasSubstr;
  EXPECT_THAT(wrong([](auto& tree) { ++tree.entries; }), HasSubstr("302 entries"));
  EXPECT_THAT(wrong([](auto& tree) { ++tree.leaf_pages; }), HasSubstr("leaf pages"));
  EXPECT_THAT(wrong([](auto& tree) { ++tree.branch_pages; }), HasSubstr("branch pages"));
  EXPECT_THAT(wrong([](auto& tree) { ++tree.overflow_pages; }), HasSubstr("overflow pages"));
  EXPECT_THAT(wrong([](auto& tree) { ++tree.depth; }), HasSubstr("levels"));
  EXPECT_THAT(wrong([](auto& tree) { tree.flags = 4; }), HasSubstr("no flags"));
  EXPECT_THAT(wrong([](auto& tree) { tree.root += 1'000'000; }), HasSubstr("a page from 2"));
  EXPECT_THAT(wrong([](auto& tree) { tree.root = detail::no_page; }), HasSubstr("0 found"));
}

TEST_F(CheckOfDamage, FindsTreesThatCrossAndTreesThatLeadToThemselves) {
  const StoredFile sound = file();
  StoredFile crossed = sound;
  crossed.set_tree("table.1", crossed.tree("table.2"));
  EXPECT_THAT(first_finding(crossed), ::testing::HasSubstr("that nothing else uses"));

  StoredFile cyclic = sound;
  const std::uint64_t root = cyclic.tree("table.2").root;
  ASSERT_FALSE(cyclic.is_leaf(root));
  std::uint16_t node = 0;
  std::memcpy(&node, cyclic.bytes(root) + 16 + 2, sizeof node);
  const auto low = static_cast<std::uint16_t>(root);
  std::memcpy(cyclic.bytes(root) + node, &low, sizeof low);
  EXPECT_THAT(first_finding(cyclic), ::testing::HasSubstr("that nothing else uses"));
}

TEST_F(CheckOfDamage, FindsAFreePageThatIsUsedAndPagesThatAreNeither) {
  StoredFile damaged = file();
  const detail::MetaPage meta = damaged.current();
  ASSERT_TRUE(damaged.is_leaf(meta.free.root));
  std::uint16_t node = 0;
  std::memcpy(&node, damaged.bytes(meta.free.root) + 16, sizeof node);
  char* const list = damaged.bytes(meta.free.root) + node + 16;
  std::uint64_t count = 0;
  std::memcpy(&count, list, sizeof count);
  ASSERT_GT(count, 0U);
  const StoredFile sound = damaged;

  const std::uint64_t used = damaged.tree("table.1").root;
  std::memcpy(list + 8, &used, sizeof used);
  EXPECT_TRUE(checked(damaged).is_damaged());
  constexpr std::uint64_t no_page_at_all = ~std::uint64_t{0};
  std::memcpy(list + 8, &no_page_at_all, sizeof no_page_at_all);
  EXPECT_TRUE(checked(damaged).is_damaged());

  damaged = sound;
  --count;
  std::memcpy(damaged.bytes(meta.free.root) + node + 16, &count, sizeof count);
  const CheckReport report = checked(damaged);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, FindingKind::lost_space) << report.findings[0].describe();
  EXPECT_FALSE(report.is_sound());
  EXPECT_FALSE(report.is_damaged());
}

TEST_F(CheckOfDamage, FindsKeysOutOfOrderAndTellsWhere) {
  StoredFile damaged = file();
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("table.2").root, "key 1200").value();
  const std::size_t at = damaged.page(leaf).find("key 1200");
  damaged.bytes(leaf)[at] = 'a';
  const CheckReport report = checked(damaged);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].table, "t");
  EXPECT_EQ(report.findings[0].page, leaf);
  EXPECT_NE(report.findings[0].got.find("aey 1200"), std::string::npos);
}

TEST_F(CheckOfDamage, FindsTablesWithoutTreesAndTreesWithoutTables) {
  StoredFile damaged = file();
  *(damaged.tree_record("table.2") - 1) = '9';
  const CheckReport report = checked(damaged);
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].table, "t");
  EXPECT_EQ(report.findings[1].table, "table.9");
}

TEST_F(CheckOfDamage, OfAFileCutAnywhereFindsItUnlessOnlyFreePagesAreMissing) {
  const StoredFile sound = file();
  StoredFile cut = sound;
  for (std::size_t size = 0; size < cut.page_count() * 4096; size += 2048) {
    StoredFile shorter = sound;
    shorter.content().resize(size);
    const CheckReport report = checked(shorter);
    if (!report.is_sound()) continue;
    EXPECT_EQ(get(*open(), "t", "big"), std::string(7'000, 'y')) << size;
  }
  EXPECT_FALSE(check(path()).is_sound() && file().content().size() < 8192);
}

TEST_F(CheckOfDamage, OfPagesFullOfAnythingEndsAndFindsIt) {
  std::mt19937_64 random(testing::test_seed());
  const StoredFile sound = file();
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    StoredFile damaged = sound;
    const std::uint64_t pages = 1 + random() % 3;
    for (std::uint64_t i = 0; i < pages; ++i) {
      char* const page = damaged.bytes(random() % damaged.page_count());
      const std::size_t from = round % 3 == 0 ? 0 : 16 + random() % 200;  // with a header that looks good, or without
      for (std::size_t at = from; at < 4096; ++at) page[at] = static_cast<char>(random());
    }
    try {
      found += checked(damaged).is_sound() ? 0 : 1;
    } catch (const StateError&) {
      ++found;  // both meta pages are gone: no store of ours
    }
  }
  EXPECT_GT(found, 150);
}

}  // namespace
}  // namespace holdfast
