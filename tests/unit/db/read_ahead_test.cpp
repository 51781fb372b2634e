#include "db/read_ahead.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "db/environment.hpp"
#include "db/transaction_tables.hpp"
#include "db_fixture.hpp"
#include "forwarding_file_ops.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

using detail::ReadAhead;

/// Notes what is asked for.
class AskedFileOps final : public testing::ForwardingFileOps {
 public:
  int will_need(int, std::uint64_t offset_bytes, std::uint64_t size_bytes) override {
    EXPECT_EQ(offset_bytes % ReadAhead::part_bytes, 0U);
    EXPECT_EQ(size_bytes, ReadAhead::part_bytes);
    asked.push_back(offset_bytes / ReadAhead::part_bytes);
    return 0;
  }
  std::vector<std::uint64_t> asked;
};

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t part_pages = ReadAhead::part_bytes / page_bytes;
using Parts = std::vector<std::uint64_t>;

class StoreReadAhead : public testing::DbTest {
 protected:
  std::shared_ptr<AskedFileOps> ops_ = std::make_shared<AskedFileOps>();

  /// What a scan through these pages of a file of ten parts asks for.
  [[nodiscard]] Parts asked_for(const Parts& pages) const {
    ReadAhead ahead(*ops_, -1, page_bytes, 10 * part_pages);
    ops_->asked.clear();
    for (const std::uint64_t page : pages) ahead.come_to(page);
    return ops_->asked;
  }
};

TEST_F(StoreReadAhead, AsksForAPartAtItsSecondPageAndOnceOnly) {
  EXPECT_EQ(asked_for({5, 5, 5}), Parts{});
  EXPECT_EQ(asked_for({5, 9, 7, 5, 9}), Parts{0});
  EXPECT_EQ(asked_for({5, 4 * part_pages, 8 * part_pages, 6}), Parts{0});
}

TEST_F(StoreReadAhead, AsksForTheNextPartWhileAScanGoesThroughTheFile) {
  Parts pages(10 * part_pages);
  std::iota(pages.begin(), pages.end(), std::uint64_t{0});
  EXPECT_EQ(asked_for(pages), (Parts{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(asked_for({0, 1, part_pages}), (Parts{0, 1, 2}));
  EXPECT_EQ(asked_for(Parts(pages.rbegin(), pages.rend())), (Parts{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
}

TEST_F(StoreReadAhead, AsksForNothingWhereATablesPagesAreFarBetween) {
  Parts pages;
  for (std::uint64_t part = 0; part < 10; ++part) pages.push_back(part * part_pages + part);
  EXPECT_EQ(asked_for(pages), Parts{});
}

TEST_F(StoreReadAhead, NumbersBeyondTheFileAreNothing) {
  EXPECT_EQ(asked_for({10 * part_pages, 10 * part_pages + 1, ~std::uint64_t{0}, ~std::uint64_t{0} - 1}), Parts{});
}

TEST_F(StoreReadAhead, WhateverTheOrderEachPartOfAWholeFileIsAskedForOnce) {
  Parts pages(10 * part_pages);
  std::iota(pages.begin(), pages.end(), std::uint64_t{0});
  std::shuffle(pages.begin(), pages.end(), std::mt19937(testing::test_seed()));
  Parts asked = asked_for(pages);
  std::sort(asked.begin(), asked.end());
  EXPECT_EQ(asked, (Parts{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(StoreReadAhead, ALongScanOfAStoreAsksForTheFileAndAShortOneForNothing) {
  {
    const auto db = open();
    const ByteTable table = db->table("t");
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 20'000; ++i)
        table.put(txn, as_bytes("key" + std::to_string(100'000 + i)), Bytes(100, std::byte{1}));
    });
  }
  const auto environment = detail::Environment::open(options(), ops_);
  std::optional<detail::ReadBase> txn;
  const auto index = detail::begin_indexed(
      environment, [&]() -> detail::ReadBase& { return txn.emplace(environment, environment->options()); });
  const auto scan = [&](std::size_t limit) {
    ops_->asked.clear();
    const auto cursor = detail::LmdbView(detail::lent(*txn), index->find("t")->handle).cursor();
    std::array<detail::Item, 64> lent;
    std::size_t passed = cursor->seek({}) ? 1 : 0;
    while (passed < limit) {
      const std::size_t count = cursor->move_on(Order::ascending, lent);
      if (count == 0) break;
      passed += count;
    }
    return passed;
  };
  EXPECT_GE(scan(100), 100U);
  EXPECT_EQ(ops_->asked, Parts{});
  EXPECT_EQ(scan(~std::size_t{0}), 20'000U);
  const std::uint64_t parts = environment->data().status().size_bytes / ReadAhead::part_bytes;
  EXPECT_GE(ops_->asked.size() + 1, parts);
  EXPECT_LE(ops_->asked.size(), parts + 1);
}

}  // namespace
}  // namespace holdfast
