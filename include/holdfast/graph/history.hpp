#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "holdfast/core/export.hpp"
#include "holdfast/graph/diff.hpp"
#include "holdfast/graph/storage.hpp"

namespace holdfast {

/// A state that can be gone back to: what one flush left.
struct HistoryPoint {
  enum class Kind { checkpoint, frames };
  std::uint64_t seq = 0;  ///< as target_seq of restore
  std::chrono::system_clock::time_point time{};
  Kind kind = Kind::frames;     ///< checkpoint: a whole graph is stored there
  std::size_t frame_count = 0;  ///< changes since the point before, where frames tell
};

/// The retained points of the graph, oldest first.
/// Errors: RestoreError for damage in what it reads; as of the backend.   Cost: reads the log once.
[[nodiscard]] HOLDFAST_API std::vector<HistoryPoint> history(std::string_view graph, const GraphStorage& storage);

/// What turns the state at sequence `from` into that at `to`, in either direction of time.
/// Errors: as of restore; RestoreError{not_retained} where nothing is stored.
[[nodiscard]] HOLDFAST_API GraphDiff diff_between(std::string_view graph, const GraphStorage& storage,
                                                  std::uint64_t from, std::uint64_t to);

}  // namespace holdfast
