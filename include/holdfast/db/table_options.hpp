#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/seal/seal.hpp"

namespace holdfast {

/// A codec as a store records it.
struct CodecName {
  std::string name{};
  std::uint32_t version = 0;
  bool operator==(const CodecName&) const = default;
};

/// The codecs of keys and values of a table.
struct TableCodecs {
  CodecName key{.name = "ordered", .version = 1};
  CodecName value{.name = "raw", .version = 1};
  bool operator==(const TableCodecs&) const = default;
};

/// A table as it stands in a store.
struct TableInfo {
  std::string name{};
  std::uint64_t id = 0;  ///< for ever: of no other table of the store, and kept by a rename
  TableCodecs codecs{};
  std::uint32_t schema_version = 0;
  std::string seal{};       ///< the name of what its values are sealed with; "" for nothing
  std::uint64_t count = 0;  ///< keys
  bool operator==(const TableInfo&) const = default;
};

/// Whether entries of a table can have a time to live.
enum class Expiry { none, per_entry };

/// Whether the changes of a table are in the store's change feed; see Database::changes().
enum class Feed { off, on };

/// What a table is made with, and checked against whenever it is used: else StateError{mismatched} names both.
struct TableOptions {
  std::uint32_t schema_version = 0;  ///< yours to raise when the meaning of keys or values changes; see migrate()
  /// What the values are sealed with: bound to the store, the table, the key and the deadline. None: stored as they
  /// are, and rot is not detected.
  std::shared_ptr<const Seal> seal{};
  /// per_entry: put() takes a time to live, and expire(), ttl(), persist() and purge_expired() work. Costs 8 bytes a
  /// value, and an index row for each entry that has one. A table that has it may be used without asking for it.
  Expiry expiry = Expiry::none;
  /// on: every commit also writes to the feed which keys it has changed, and how. Costs a feed row for each: 34 bytes
  /// and the key. A table that has it may be used without asking for it.
  Feed feed = Feed::off;
};

}  // namespace holdfast
