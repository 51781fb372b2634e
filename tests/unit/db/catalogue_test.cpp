#include "db/catalogue.hpp"

#include <gtest/gtest.h>

#include "db/write_set.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// A `holdfast.meta` in memory.
struct Meta {
  Meta() {
    for (const auto& [key, value] : new_store_meta(StoreId{std::byte{7}})) set.put(as_bytes(key), value);
  }
  void put_number(std::string_view key, std::uint64_t value, std::size_t bytes = 8) {
    Bytes stored;
    for (std::size_t i = 0; i < bytes; ++i) stored.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFFU));
    set.put(as_bytes(key), stored);
  }

  WriteSet set;
  MergedView view{nullptr, set};
};

State state_of(const Meta& meta) {
  try {
    static_cast<void>(read_store_meta(meta.view, "store"));
  } catch (const StateError& error) {
    return error.facts().state;
  }
  return State::closed;
}

const TableRecord record{.id = 0x0102030405060708,
                         .tree = 3,
                         .schema_version = 9,
                         .codecs = {.key = {.name = "ordered", .version = 1}, .value = {.name = "json", .version = 2}},
                         .seal = "checksum/1"};

TEST(StoreMeta, OfANewStoreReadsBack) {
  const Meta meta;
  EXPECT_EQ(read_store_meta(meta.view, "store").id, StoreId{std::byte{7}});
  EXPECT_EQ(read_catalogue(meta.view, "store").tables.size(), 0U);
}

TEST(StoreMeta, OfALaterVersionIsRefusedAsNewer) {
  Meta layout;
  layout.put_number("layout", 2, 4);
  EXPECT_EQ(state_of(layout), State::newer_format);
  Meta feature;
  feature.put_number("features.required", 1ULL << 63U);
  EXPECT_EQ(state_of(feature), State::newer_format);
}

TEST(StoreMeta, WithUnknownOptionalFeaturesOpens) {
  Meta meta;
  meta.put_number("features.optional", 5);
  EXPECT_EQ(read_store_meta(meta.view, "store").optional_features, 5U);
}

TEST(StoreMeta, WithARecordMissingOrOfWrongSizeIsCorrupt) {
  for (const auto& [key, value] : new_store_meta({})) {
    if (key.starts_with("catalogue")) continue;
    Meta missing;
    missing.set.erase(as_bytes(key));
    EXPECT_THROW(static_cast<void>(read_store_meta(missing.view, "store")), CorruptionError) << key;
    Meta longer;
    Bytes more = value;
    more.push_back(std::byte{0});
    longer.set.put(as_bytes(key), more);
    EXPECT_THROW(static_cast<void>(read_store_meta(longer.view, "store")), CorruptionError) << key;
  }
}

TEST(TableRecord, HasTheseBytes) {
  EXPECT_EQ(to_hex(encode_table_record(record)),
            "01"
            "0807060504030201"
            "0300000000000000"
            "0000000000000000"
            "09000000"
            "0700"
            "6f726465726564"
            "01000000"
            "0400"
            "6a736f6e"
            "02000000"
            "0a00"
            "636865636b73756d2f31");
  EXPECT_EQ(decode_table_record(encode_table_record(record), "here"), record);
}

TEST(TableRecord, CutAnywhereIsCorrupt) {
  const Bytes whole = encode_table_record(record);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(static_cast<void>(decode_table_record(ByteView(whole).first(size), "here")), CorruptionError) << size;
}

TEST(TableRecord, OfALaterVersionOrWithUnknownFlagsIsNewer) {
  Bytes version = encode_table_record(record);
  version[0] = std::byte{2};
  EXPECT_THROW(static_cast<void>(decode_table_record(version, "here")), StateError);
  TableRecord flagged = record;
  flagged.flags = std::uint64_t{1} << 63U;
  EXPECT_THROW(static_cast<void>(decode_table_record(encode_table_record(flagged), "here")), StateError);
}

TEST(Catalogue, WithABitOfATablesNameOrRecordFlippedIsCorrupt) {
  Catalogue catalogue{.change = 1, .next_table_id = 2, .tree_count = 1, .tables = {}};
  catalogue.tables.emplace("stock", TableRecord{.id = 1, .tree = 1});
  const Bytes stored = catalogue_records(catalogue).at("table/stock");
  const auto read_with = [&](std::string_view name, const Bytes& bytes) {
    Meta meta;
    for (const auto& [key, value] : catalogue_records(catalogue))
      if (!key.starts_with("table/")) meta.set.put(as_bytes(key), value);
    meta.set.put(as_bytes("table/" + std::string(name)), bytes);
    return read_catalogue(meta.view, "store").tables.size();
  };
  EXPECT_EQ(read_with("stock", stored), 1U);
  EXPECT_THROW(static_cast<void>(read_with("stocj", stored)), CorruptionError);
  for (std::size_t at = 0; at < stored.size(); ++at) {
    Bytes flipped = stored;
    flipped[at] ^= std::byte{1};
    EXPECT_THROW(static_cast<void>(read_with("stock", flipped)), CorruptionError) << at;
  }
}

TEST(Catalogue, ReadsBackAndRefusesAnIdOrATreeThatWasNeverGiven) {
  Meta meta;
  Catalogue catalogue{.change = 3, .next_table_id = 2, .tree_count = 4, .tables = {}};
  catalogue.tables.emplace("stock", TableRecord{.id = 1, .tree = 4});
  for (const auto& [key, value] : catalogue_records(catalogue)) meta.set.put(as_bytes(key), value);
  const Catalogue back = read_catalogue(meta.view, "store");
  EXPECT_EQ(back.change, 3U);
  EXPECT_EQ(back.tables, catalogue.tables);
  meta.put_number("catalogue.trees", 3);
  EXPECT_THROW(static_cast<void>(read_catalogue(meta.view, "store")), CorruptionError);
  meta.put_number("catalogue.trees", 4);
  meta.put_number("catalogue.next_id", 1);
  EXPECT_THROW(static_cast<void>(read_catalogue(meta.view, "store")), CorruptionError);
}

}  // namespace
}  // namespace holdfast::detail
