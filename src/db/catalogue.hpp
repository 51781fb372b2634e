#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/ordered_view.hpp"
#include "holdfast/db/table_options.hpp"
#include "holdfast/seal/seal.hpp"

/// What `holdfast.meta` says: the store's identity and features, and which table has which id. Bytes: FORMAT.md.
namespace holdfast::detail {

inline constexpr const char* meta_table_name = "holdfast.meta";
inline constexpr const char* backend_table_name = "holdfast";
inline constexpr const char* expiry_table_name = "holdfast.expiry";
inline constexpr const char* feed_table_name = "holdfast.feed";

/// What holdfast.expiry, the index of all expiring tables, is called where trees have numbers. It is made with the
/// first such table, and stays.
inline constexpr std::uint64_t expiry_tree = 0;

/// What holdfast.feed, the change feed, is called there. It is made with the first table that has one, and stays.
inline constexpr std::uint64_t feed_tree = ~std::uint64_t{0};

/// Where the numbers of changes in the feed end.
inline constexpr std::uint64_t last_sequence = ~std::uint64_t{0} >> 1;

/// Bits of TableRecord::flags.
inline constexpr std::uint64_t expiring_flag = 1;  ///< values begin with their deadlines
inline constexpr std::uint64_t fed_flag = 2;       ///< changes are in the feed

struct StoreMeta {
  StoreId id{};
  std::uint64_t optional_features = 0;
};

struct TableRecord {
  std::uint64_t id = 0;  ///< never 0, never used again: what seals, expiry and feed know the table by
  /// The LMDB database that holds it, never 0. One that a table has left is emptied and taken by the next to be made:
  /// so none ever needs to be closed under the transactions that still read it.
  std::uint64_t tree = 0;
  std::uint64_t flags = 0;
  std::uint32_t schema_version = 0;
  TableCodecs codecs{};
  std::string seal{};  ///< "" for none
  [[nodiscard]] bool is_expiring() const noexcept { return (flags & expiring_flag) != 0; }
  [[nodiscard]] bool is_fed() const noexcept { return (flags & fed_flag) != 0; }
  bool operator==(const TableRecord&) const = default;
};

/// All tables of one state of the store. Immutable.
struct Catalogue {
  std::uint64_t change = 0;  ///< grows with every change of the tables
  std::uint64_t next_table_id = 1;
  std::uint64_t tree_count = 0;  ///< trees made so far: 1 to tree_count
  /// Where the store has a feed: the number before its first change.
  std::optional<std::uint64_t> feed_begun_after{};
  std::map<std::string, TableRecord, std::less<>> tables{};
  /// Whether the store needs an expiry index.
  [[nodiscard]] bool has_expiring() const noexcept;
};

/// The records of an empty store.
[[nodiscard]] std::vector<std::pair<std::string, Bytes>> new_store_meta(const StoreId& id);

/// Errors: StateError{foreign} without the records every store has, {newer_format} for a layout or a required feature
/// that this version does not know; CorruptionError for a record of wrong form.
[[nodiscard]] StoreMeta read_store_meta(const OrderedView& meta, const std::filesystem::path& path);

[[nodiscard]] std::uint64_t read_catalogue_change(const OrderedView& meta, const std::filesystem::path& path);
[[nodiscard]] Catalogue read_catalogue(const OrderedView& meta, const std::filesystem::path& path);
/// The record of every table by its name, neither verified nor decoded.
[[nodiscard]] std::map<std::string, Bytes, std::less<>> table_records(const OrderedView& meta);

/// The record that is stored under `name`, without the digest it ends with. Errors: CorruptionError.
[[nodiscard]] ByteView verified_table_record(std::string_view name, ByteView stored, const std::string& where);

[[nodiscard]] Bytes encode_table_record(const TableRecord& record);
/// Errors: CorruptionError; StateError{newer_format} for a record version or a flag that is not known.
[[nodiscard]] TableRecord decode_table_record(ByteView stored, const std::string& where);

/// The records that hold `catalogue`, those of its tables and its numbers.
[[nodiscard]] std::map<std::string, Bytes> catalogue_records(const Catalogue& catalogue);

/// The name of a tree's LMDB database: a number, so that tables can be renamed.
[[nodiscard]] std::string lmdb_name(std::uint64_t tree);

}  // namespace holdfast::detail
