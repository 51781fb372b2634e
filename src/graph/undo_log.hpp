#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/graph/commit.hpp"
#include "holdfast/graph/snapshot.hpp"

namespace holdfast::detail {

/// What a batch did, step by step, so that it can be undone, in whole or from a point on, and told as one commit.
class GraphUndoLog {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return steps_.size(); }
  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

  // Each of these makes a step happen to `root`. They throw before anything has changed, or not at all.
  void put_node(GraphSnapshot& root, std::string_view path, std::optional<NodeSlice> after);
  void put_graph(GraphSnapshot& root, std::string_view path, std::optional<GraphSnapshot> after);
  void put_all(GraphSnapshot& root, GraphSnapshot after);

  void undo_to(std::size_t size, GraphSnapshot& root) noexcept;
  [[nodiscard]] GraphCommit commit() const;

 private:
  struct Step {
    enum class Kind { node, graph, all };
    Kind kind = Kind::node;
    std::string path{};
    std::optional<NodeSlice> node_before{};
    std::optional<NodeSlice> node_after{};
    std::optional<GraphSnapshot> graph_before{};
    std::optional<GraphSnapshot> graph_after{};  ///< a copy: nodes, not values
  };

  std::vector<Step> steps_;
};

}  // namespace holdfast::detail
