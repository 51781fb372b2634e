#pragma once

#include <cstdint>

#include "db/feed.hpp"
#include "db/found_meta.hpp"

namespace holdfast::detail {

/// Judges the rows of the change feed, each read once, in order.
class FeedTally {
 public:
  /// Errors: CorruptionError for a row that is not of the feed's form, not of a table that the store has or had, or
  /// not the next after the one before.
  void add(ByteView key, ByteView value, const FoundMeta& meta);
  /// The greatest number seen.
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

 private:
  std::uint64_t last_ = 0;
  std::uint64_t commit_ = 0;  ///< of the row before; 0 where that could not be read
};

}  // namespace holdfast::detail
