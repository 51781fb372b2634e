#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

/// A node's value: shared and never changed; null where the node has none. JSON null is a value.
using NodeValue = std::shared_ptr<const Json>;

[[nodiscard]] inline NodeValue node_value(Json value) {
  return std::make_shared<const Json>(std::move(value));
}

/// Whether both are absent, or their canonical texts are the same.
[[nodiscard]] HOLDFAST_API bool same_value(const NodeValue& a, const NodeValue& b);

/// How a node comes by its value. This library runs no operators: the type is kept for those who do.
enum class NodeType { state, derived, dynamic, producer, operation, unknown };

/// Where a node stands in its life.
struct NodeStatus {
  enum class Kind {
    sentinel,   ///< it has no value yet, or none any more
    live,       ///< it has a value, and may get others
    completed,  ///< it keeps what it has: no value follows
    errored,    ///< it failed: no value follows
  };
  Kind kind = Kind::sentinel;
  NodeValue error{};  ///< of an errored node; null when unknown
};
[[nodiscard]] inline bool operator==(const NodeStatus& a, const NodeStatus& b) {
  return a.kind == b.kind && same_value(a.error, b.error);
}

/// Everything that is stored of a node.
struct NodeSlice {
  NodeType type = NodeType::state;
  NodeStatus status{};
  NodeValue value{};
  std::vector<std::string> deps{};  ///< paths relative to the graph that owns the node
};
[[nodiscard]] inline bool operator==(const NodeSlice& a, const NodeSlice& b) {
  return a.type == b.type && a.status == b.status && same_value(a.value, b.value) && a.deps == b.deps;
}

/// The state of a graph and of the subgraphs mounted in it. Values are shared: a copy costs its nodes, not their
/// values.
struct HOLDFAST_API GraphSnapshot {
  std::string name{};
  std::map<std::string, NodeSlice, std::less<>> nodes{};
  std::map<std::string, GraphSnapshot, std::less<>> subgraphs{};

  /// The node at a `::` path; null when there is none.
  [[nodiscard]] const NodeSlice* find(std::string_view path) const;
  [[nodiscard]] NodeSlice* find(std::string_view path);
  /// The subgraph mounted at a path, this one at the empty path; null when there is none.
  [[nodiscard]] const GraphSnapshot* find_graph(std::string_view path) const;
  [[nodiscard]] GraphSnapshot* find_graph(std::string_view path);

  bool operator==(const GraphSnapshot&) const = default;
};

/// The path "a::b::c" is the node or subgraph "c" of the graph at "a::b".
struct PathParts {
  std::string_view owner{};  ///< empty: the root graph
  std::string_view name{};
};
[[nodiscard]] HOLDFAST_API PathParts split_path(std::string_view path) noexcept;
[[nodiscard]] HOLDFAST_API std::string join_path(std::string_view owner, std::string_view name);

// The JSON forms, as formats of other GraphReFly implementations have them (src/graph/FORMAT.md).
[[nodiscard]] HOLDFAST_API Json status_to_json(const NodeStatus& status);
[[nodiscard]] HOLDFAST_API Json slice_to_json(const NodeSlice& slice);
[[nodiscard]] HOLDFAST_API Json snapshot_to_json(const GraphSnapshot& snapshot);
/// Errors: CodecError for what is no such thing. The flat form, whose nodes carry whole paths, is recognised.
[[nodiscard]] HOLDFAST_API NodeStatus status_from_json(const Json& json);
[[nodiscard]] HOLDFAST_API NodeSlice slice_from_json(Json json);
[[nodiscard]] HOLDFAST_API GraphSnapshot snapshot_from_json(Json json);

}  // namespace holdfast
