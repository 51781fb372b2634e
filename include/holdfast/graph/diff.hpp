#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/core/export.hpp"
#include "holdfast/graph/snapshot.hpp"
#include "holdfast/wal/frame.hpp"

namespace holdfast {

/// What turns one state of a graph into another. All paths are from the root; subgraphs are compared recursively.
struct GraphDiff {
  struct Added {
    std::string path{};
    NodeSlice slice{};
    bool operator==(const Added&) const = default;
  };
  struct Mounted {
    std::string path{};
    std::string subgraph{};  ///< the name of the graph mounted there
    bool operator==(const Mounted&) const = default;
  };
  struct Valued {
    std::string path{};
    NodeValue value{};  ///< null: it has none any more
  };
  struct Restated {
    std::string path{};
    NodeStatus status{};
    bool operator==(const Restated&) const = default;
  };

  std::vector<Added> added{};  ///< new nodes, and those whose type or dependencies changed, whole
  std::vector<std::string> removed{};
  std::vector<Mounted> mounted{};        ///< new subgraphs, whose nodes are in `added`, and those with another name
  std::vector<std::string> unmounted{};  ///< with everything below them
  std::vector<Valued> values{};
  std::vector<Restated> statuses{};

  [[nodiscard]] bool empty() const noexcept {
    return added.empty() && removed.empty() && mounted.empty() && unmounted.empty() && values.empty() &&
           statuses.empty();
  }
};

/// What turns `before` into `after`.   Cost: one pass over both; equal values that are shared are not looked into.
[[nodiscard]] HOLDFAST_API GraphDiff diff_snapshots(const GraphSnapshot& before, const GraphSnapshot& after);

/// Makes `diff` happen to `state`.
HOLDFAST_API void apply_diff(const GraphDiff& diff, GraphSnapshot& state);

/// The frames that make `diff` happen: added, removed, mounted, unmounted, values, statuses; all at `t_ns`, with the
/// numbers `base` + 1 and up. A status that the value before it implies has no frame of its own.
[[nodiscard]] HOLDFAST_API std::vector<WalFrame> decompose_diff(const GraphDiff& diff, std::uint64_t t_ns,
                                                                std::uint64_t base);

}  // namespace holdfast
