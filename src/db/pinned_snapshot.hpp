#pragma once

#include <memory>

#include "db/environment.hpp"
#include "db/tree_walk.hpp"

namespace holdfast::detail {

/// The pages of an open store as one read transaction sees them: while it lives, no writer uses them again.
class PinnedSnapshot {
 public:
  /// Errors: as beginning a read transaction; StateError{in_use} when writers commit faster than it can be pinned;
  /// CorruptionError when the meta pages are damaged.
  explicit PinnedSnapshot(const std::shared_ptr<Environment>& environment);

  [[nodiscard]] const PageSnapshot& pages() const noexcept { return pages_; }

 private:
  std::unique_ptr<ReadBase> pin_;
  PageSnapshot pages_;
};

}  // namespace holdfast::detail
