#pragma once

#include <cstdint>
#include <vector>

#include "db/tree_walk.hpp"
#include "holdfast/core/function_ref.hpp"

namespace holdfast::detail {

/// The pages of a snapshot in order, as a data file of that state alone: both meta pages lead to it, and pages that are
/// free, which writers may be using, are zeros.
class PageCopy {
 public:
  /// Reads the free list. Errors: CorruptionError; IoError.
  explicit PageCopy(const PageSnapshot& snapshot);

  /// Lends the next pages; false when there are none left. Errors: CorruptionError when one in use is not in the file.
  bool next(FunctionRef<void(ByteView)> take);
  [[nodiscard]] std::uint64_t pages_done() const noexcept { return next_page_; }

 private:
  const PageSnapshot& snapshot_;
  std::vector<std::uint64_t> free_pages_;
  std::size_t next_free_ = 0;
  std::uint64_t next_page_ = 0;
  Bytes buffer_;
};

}  // namespace holdfast::detail
