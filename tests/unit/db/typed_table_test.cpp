#include "holdfast/db/typed_table.hpp"

#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "db_fixture.hpp"

namespace holdfast {
namespace {

struct Part {
  std::string name;
  int count = 0;
  bool operator==(const Part&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Part, name, count)

class TypedTable : public testing::DbTest {
 protected:
  std::shared_ptr<Database> db_ = open();

  template <class Range>
  static auto keys_of(Range&& range) {
    std::vector<std::remove_cvref_t<decltype((*range.begin()).key)>> keys;
    for (const auto& entry : range) keys.push_back(entry.key);
    return keys;
  }
};

TEST_F(TypedTable, KeepsValuesOfATypeByKeysOfAType) {
  const Table<std::string, Part> parts(*db_, "parts");
  db_->update([&](WriteTransaction& txn) {
    parts.put(txn, "m6", {"bolt M6", 12});
    EXPECT_EQ(parts.get(txn, "m6"), (Part{"bolt M6", 12}));
    EXPECT_FALSE(parts.insert(txn, "m6", {}));
    EXPECT_TRUE(parts.insert(txn, "m8", {"bolt M8", 3}));
    EXPECT_EQ(parts.put_returning(txn, "m8", {"bolt M8", 4}), (Part{"bolt M8", 3}));
    EXPECT_EQ(parts.put_returning(txn, "m9", {"bolt M9", 1}), std::nullopt);
    EXPECT_EQ(parts.erase_returning(txn, "m9"), (Part{"bolt M9", 1}));
    EXPECT_EQ(parts.erase_returning(txn, "m9"), std::nullopt);
    EXPECT_FALSE(parts.erase(txn, "m9"));
  });
  db_->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(parts.get(txn, "m7"), std::nullopt);
    EXPECT_TRUE(parts.contains(txn, "m8"));
    EXPECT_FALSE(parts.contains(txn, "m9"));
    EXPECT_EQ(parts.count(txn), 2U);
    EXPECT_EQ(as_text(*parts.view(txn, "m6")), R"({"count":12,"name":"bolt M6"})");
    const std::vector<std::string> wanted = {"m8", "none", "m6"};
    const auto many = parts.get_many(txn, wanted);
    ASSERT_EQ(many.size(), 3U);
    EXPECT_EQ(many[0]->count, 4);
    EXPECT_EQ(many[1], std::nullopt);
    EXPECT_EQ(many[2]->count, 12);
    EXPECT_EQ(parts.first(txn)->key, "m6");
    EXPECT_EQ(parts.last(txn)->value.count, 4);
    EXPECT_EQ(parts.first(txn, {.after = "m8"}), std::nullopt);
  });
}

/// Every kind of key comes back in the order of its values, whatever was put first.
template <class K>
void expect_order(Database& db, std::string_view name, std::vector<K> ascending) {
  const Table<K, std::uint32_t> table(db, name);
  db.update([&](WriteTransaction& txn) {
    for (std::size_t i = ascending.size(); i-- > 0;) table.put(txn, ascending[i], static_cast<std::uint32_t>(i));
  });
  db.view([&](const ReadTransaction& txn) {
    std::size_t at = 0;
    for (const auto& [key, value] : table.range(txn)) {
      EXPECT_EQ(key, ascending[at]) << name;
      EXPECT_EQ(value, at) << name;
      ++at;
    }
    EXPECT_EQ(at, ascending.size()) << name;
    for (const auto& [key, value] : table.reverse(txn)) EXPECT_EQ(value, --at) << name;
    EXPECT_EQ(at, 0U) << name;
    std::vector<K> keys;
    for (const K& key : table.keys(txn)) keys.push_back(key);
    EXPECT_EQ(keys, ascending) << name;
    EXPECT_EQ(table.get(txn, ascending.front()), 0U) << name;
  });
}

TEST_F(TypedTable, OrdersEveryKindOfKeyByItsValues) {
  using Limits = std::numeric_limits<std::int64_t>;
  expect_order<std::uint8_t>(*db_, "u8", {0, 1, 127, 128, 255});
  expect_order<std::uint64_t>(*db_, "u64", {0, 1, 255, 256, 1ULL << 40U, ~0ULL});
  expect_order<std::int64_t>(*db_, "i64", {Limits::min(), -256, -1, 0, 1, 256, Limits::max()});
  expect_order<double>(*db_, "double", {-1e300, -1.5, -1e-300, 0.0, 1e-300, 1.5, 1e300});
  expect_order<float>(*db_, "float", {-2.0F, 0.0F, 2.0F});
  expect_order<std::string>(*db_, "text", {"", std::string(1, '\0'), std::string("\0a", 2), "a", "aa", "b", "\xFF"});
  expect_order<Bytes>(*db_, "bytes", {{}, Bytes(1), Bytes(2), to_bytes("a"), Bytes(3, std::byte{0xFF})});
  expect_order<std::tuple<std::string, std::int32_t>>(
      *db_, "tuple", {{"", 5}, {"a", -1}, {"a", 1}, {std::string("a\0", 2), 0}, {"b", 0}});
  expect_order<std::pair<std::uint16_t, std::string>>(*db_, "pair", {{0, "z"}, {1, ""}, {1, "a"}, {256, ""}});
}

TEST_F(TypedTable, BoundsAreOpenClosedOrAbsent) {
  const Table<int, std::string> table(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    for (int i = -3; i <= 3; ++i) table.put(txn, i, "v");
  });
  db_->view([&](const ReadTransaction& txn) {
    using Keys = std::vector<int>;
    EXPECT_EQ(keys_of(table.range(txn, {.from = -1, .below = 2})), (Keys{-1, 0, 1}));
    EXPECT_EQ(keys_of(table.range(txn, {.after = -1, .through = 2})), (Keys{0, 1, 2}));
    EXPECT_EQ(keys_of(table.range(txn, {.after = 1})), (Keys{2, 3}));
    EXPECT_EQ(keys_of(table.range(txn, {.through = -2})), (Keys{-3, -2}));
    EXPECT_EQ(keys_of(table.reverse(txn, {.from = -1, .below = 2})), (Keys{1, 0, -1}));
    EXPECT_EQ(keys_of(table.reverse(txn, {.after = 1})), (Keys{3, 2}));
    EXPECT_EQ(keys_of(table.range(txn, {.from = 0, .after = 1, .below = 3, .through = 3})), Keys{2});
    EXPECT_EQ(keys_of(table.range(txn, {.from = 2, .below = 2})), Keys{});
    EXPECT_EQ(keys_of(table.range(txn, {.from = 2, .through = 2})), Keys{2});
    EXPECT_EQ(keys_of(table.range(txn, {.after = 2, .through = 2})), Keys{});
    EXPECT_EQ(keys_of(table.range(txn, {.from = 5, .below = -5})), Keys{});
    EXPECT_EQ(keys_of(table.reverse(txn, {.from = 5, .below = -5})), Keys{});
  });
}

TEST_F(TypedTable, PrefixesOfNothingAndOfBytesFFAreRight) {
  const Table<Bytes, Bytes> raw(*db_, "raw");
  const Bytes one = {std::byte{0xFF}};
  const Bytes two = {std::byte{0xFF}, std::byte{0xFF}};
  const auto expect_right = [&](const Transaction& txn) {
    EXPECT_EQ(keys_of(raw.prefix(txn, {})).size(), 5U);
    EXPECT_EQ(keys_of(raw.prefix(txn, one)), (std::vector<Bytes>{one, two, to_bytes("\xFF\xFF\x01")}));
    EXPECT_EQ(keys_of(raw.prefix(txn, two, Order::descending)), (std::vector<Bytes>{to_bytes("\xFF\xFF\x01"), two}));
    EXPECT_EQ(keys_of(raw.prefix(txn, as_bytes("\xFE"))), std::vector<Bytes>{to_bytes("\xFE\xFF")});
  };
  db_->update([&](WriteTransaction& txn) {
    for (const Bytes& key : {Bytes(), one, two, to_bytes("\xFF\xFF\x01"), to_bytes("\xFE\xFF")}) raw.put(txn, key, one);
    expect_right(txn);
  });
  const ReadTransaction snapshot = db_->begin_read();
  expect_right(snapshot);
}

TEST_F(TypedTable, PrefixesOfTuplesAreTheirLeadingFields) {
  const Table<std::tuple<std::string, std::uint32_t, std::string>, int> table(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    table.put(txn, {"a", 1, "x"}, 1);
    table.put(txn, {"a", 1, "y"}, 2);
    table.put(txn, {"a", 2, "x"}, 3);
    table.put(txn, {"ab", 1, "x"}, 4);
  });
  db_->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(keys_of(table.prefix_fields(txn)).size(), 4U);
    EXPECT_EQ(keys_of(table.prefix_fields(txn, std::string("a"))).size(), 3U);
    EXPECT_EQ(keys_of(table.prefix_fields(txn, std::string("a"), 1U)).size(), 2U);
  });
}

TEST_F(TypedTable, AHundredRowsOfAThousandAndEightSnapshotsEachWhole) {
  const Table<std::string, std::string> table(*db_, "t");
  const auto key = [](int number) { return "key_" + std::to_string(10000 + number).substr(1); };
  db_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 1000; ++i) table.put(txn, key(i), "old");
  });
  std::vector<ReadTransaction> snapshots;
  for (int i = 0; i < 8; ++i) snapshots.push_back(db_->begin_read());
  db_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 1100; ++i) table.put(txn, key(i), "new");
  });
  for (const ReadTransaction& txn : snapshots) {
    int rows = 0;
    for (const auto& entry : table.range(txn, {.from = "key_0500", .below = "key_0600"})) {
      EXPECT_EQ(entry.key, key(500 + rows++));
      EXPECT_EQ(entry.value, "old");
    }
    EXPECT_EQ(rows, 100);
    EXPECT_EQ(table.count(txn), 1000U);
  }
}

TEST_F(TypedTable, AReaderSeesAllOldRowsWhileTheyAreOverwritten) {
  const Table<std::uint32_t, std::string> table(*db_, "t");
  const auto write = [&](const std::string& value) {
    db_->update([&](WriteTransaction& txn) {
      for (std::uint32_t i = 0; i < 1000; ++i) table.put(txn, i, value);
    });
  };
  write("old");
  const ReadTransaction before = db_->begin_read();
  write("new");
  std::uint32_t rows = 0;
  for (const auto& entry : table.range(before)) {
    EXPECT_EQ(entry.key, rows++);
    EXPECT_EQ(entry.value, "old");
  }
  EXPECT_EQ(rows, 1000U);
}

TEST_F(TypedTable, IterationAfterErasingYieldsWhatIsLeft) {
  const Table<std::uint32_t, Bytes> table(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    for (std::uint32_t i = 0; i < 500; ++i) table.put(txn, i, Bytes(50));
  });
  db_->update([&](WriteTransaction& txn) {
    EXPECT_EQ(table.erase_range(txn, {.below = 200}), 200U);
    EXPECT_EQ(keys_of(table.range(txn)).size(), 300U);
    EXPECT_EQ(table.first(txn)->key, 200U);
    EXPECT_EQ(table.erase_range(txn, {.from = 400, .through = 300}), 0U);
  });
  db_->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(keys_of(table.range(txn)).size(), 300U);
    EXPECT_EQ(table.first(txn)->key, 200U);
  });
}

TEST_F(TypedTable, FromAnOddKeyARangeOfEvenOnesStartsAtTheNext) {
  const Table<std::uint32_t, Bytes> table(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    for (std::uint32_t i = 0; i < 2000; ++i) table.put(txn, 2 * i, Bytes(20));
  });
  db_->view([&](const ReadTransaction& txn) {
    for (std::uint32_t s = 1; s < 3998; s += 2) {
      ASSERT_EQ(table.first(txn, {.from = s})->key, s + 1);
      ASSERT_EQ(table.last(txn, {.through = s})->key, s - 1);
    }
    EXPECT_EQ(table.first(txn, {.from = 3999}), std::nullopt);
  });
}

TEST_F(TypedTable, ALargeValueAmongErasedOnesLeavesAllReachable) {
  const Table<std::uint32_t, Bytes> table(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    for (std::uint32_t i = 0; i < 500; ++i) table.put(txn, i, Bytes(50));
  });
  db_->update([&](WriteTransaction& txn) {
    for (std::uint32_t i = 100; i < 200; ++i) EXPECT_TRUE(table.erase(txn, i));
    EXPECT_TRUE(table.insert(txn, 112, Bytes(2500)));
  });
  db_->view([&](const ReadTransaction& txn) {
    EXPECT_EQ(keys_of(table.range(txn)).size(), 401U);
    EXPECT_EQ(table.count(txn), 401U);
    EXPECT_EQ(table.get(txn, 112)->size(), 2500U);
  });
}

TEST_F(TypedTable, AnEntryThatDoesNotDecodeIsNeverSteppedOver) {
  const Table<std::string, std::string> texts(*db_, "t");
  const Table<std::uint32_t, std::string> numbers(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    numbers.put(txn, 1, "good");
    texts.put(txn, "not four bytes", "bad");
    numbers.put(txn, 0xF0000000, "good");
  });
  db_->view([&](const ReadTransaction& txn) {
    auto range = numbers.range(txn);
    auto it = range.begin();
    EXPECT_EQ(it->key, 1U);
    for (int step = 0; step < 3; ++step) EXPECT_THROW(++it, CodecError);
    auto keys = numbers.keys(txn, {.after = 1});
    for (int step = 0; step < 3; ++step) EXPECT_THROW(static_cast<void>(keys.begin()), CodecError);
  });
}

TEST_F(TypedTable, ClearedItIsEmptyAndTakesNewRows) {
  const Table<std::uint32_t, std::string> table(*db_, "t");
  const auto fill = [&](WriteTransaction& txn, std::uint32_t from) {
    for (std::uint32_t i = from; i < from + 300; ++i) table.put(txn, i, "v");
  };
  db_->update([&](WriteTransaction& txn) { fill(txn, 0); });
  const ReadTransaction before = db_->begin_read();
  db_->update([&](WriteTransaction& txn) {
    fill(txn, 1000);
    auto range = table.range(txn);
    auto at = range.begin();
    table.clear(txn);
    EXPECT_EQ(table.count(txn), 0U);
    ++at;
    EXPECT_TRUE(at == range.end());
    table.put(txn, 7, "new");
  });
  db_->view([&](const ReadTransaction& txn) { EXPECT_EQ(keys_of(table.range(txn)), std::vector<std::uint32_t>{7}); });
  EXPECT_EQ(table.count(before), 300U);
}

TEST_F(TypedTable, ARangeIsAnInputRangeThatLendsWithoutCopies) {
  static_assert(std::ranges::input_range<ByteRange> && std::ranges::input_range<LentRange>);
  static_assert(std::ranges::input_range<Table<int, int>::EntryRange>);
  const Table<std::string, std::string> table(*db_, "t");
  db_->update([&](WriteTransaction& txn) {
    for (int i = 0; i < 300; ++i) table.put(txn, std::to_string(1000 + i), "value " + std::to_string(i));
  });
  db_->view([&](const ReadTransaction& txn) {
    int i = 0;
    for (const LentEntry& entry : table.bytes().scan_lent(txn)) {
      EXPECT_EQ(as_text(entry.key), std::to_string(1000 + i));
      EXPECT_EQ(entry.value.data(), table.view(txn, as_text(entry.key))->data());
      ++i;
    }
    EXPECT_EQ(i, 300);
  });
}

}  // namespace
}  // namespace holdfast
