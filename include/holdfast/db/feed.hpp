#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/db/table_range.hpp"

namespace holdfast {

namespace detail {
class TableIndex;
}

/// What became of a key, or of a table.
enum class ChangeKind : std::uint8_t {
  put = 1,         ///< it has a new value: inserted or replaced, also where the one before was due
  erase = 2,       ///< it was erased
  expire_set = 3,  ///< it has the value it had, and a new time to live
  persist = 4,     ///< it has the value it had, and lives for ever
  expired = 5,     ///< it was erased when its time had come already: by a purge, or an erase that found nothing
  clear = 6,       ///< the table was emptied, as a whole: cleared, dropped or migrated away. `key` is empty
};

/// One row of the change feed: a key that a commit has changed. It says what became of the key, not its value: read
/// that from the table.
struct FeedChange {
  std::uint64_t sequence = 0;  ///< its number: from 1, one more for each change of all fed tables of the store
  std::uint64_t commit = 0;    ///< the number of the first change of its commit: the same in all of them
  std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds> time{};  ///< when its commit began
  std::uint64_t table_id = 0;                                                            ///< as TableInfo::id
  std::string table{};  ///< what the table is called now; "" when it is there no more
  ChangeKind kind = ChangeKind::put;
  Bytes key{};
  bool operator==(const FeedChange&) const = default;
};

/// What the feed holds: the changes `first` to `last`; none when `first` is `last` + 1.
struct FeedExtent {
  std::uint64_t first = 1;  ///< the oldest that is kept
  std::uint64_t last = 0;   ///< of the latest change, kept or not: where who has copied the tables begins to follow
  bool operator==(const FeedExtent&) const = default;
};

namespace detail {

/// Reads a row over a FeedChange, which then is the one before. Errors: CorruptionError.
struct HOLDFAST_API TakeChange {
  std::shared_ptr<const TableIndex> tables{};
  std::uint64_t after = 0;  ///< the number before the first
  void operator()(const LentEntry& row, FeedChange& change) const;
};

}  // namespace detail

/// Changes in the order of their numbers: commit by commit.
using ChangeRange = TableRange<FeedChange, detail::TakeChange>;

}  // namespace holdfast
