#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"
#include "holdfast/graph/snapshot.hpp"

/// What a frame does to a state. These refuse only what no checkpoint could hold: a log was true when it was written.
namespace holdfast::detail {

/// Whether a node or a subgraph can have that name, so that its path leads back to it.
[[nodiscard]] inline bool is_segment(std::string_view name) noexcept {
  return !name.empty() && name.front() != ':' && name.back() != ':' && name.find("::") == std::string_view::npos;
}

/// Errors: CodecError for a name that none can have.
inline void require_segment(std::string_view name) {
  if (!is_segment(name)) {
    throw CodecError({.codec = "graph", .problem = "a name is empty, or begins, ends or is divided by colons"});
  }
}

/// The subgraph at `path`, mounted when it is not: a node's frame may come before that of its subgraph.
/// Errors: CodecError for a path of more levels than the text of a checkpoint may nest, or with a segment that is none.
inline GraphSnapshot& ensure_graph(GraphSnapshot& root, std::string_view path, std::size_t levels_below = 0) {
  if (path.empty()) return root;
  if (levels_below == limits::max_json_depth) throw CodecError({.codec = "graph", .problem = "a path is too deep"});
  const PathParts parts = split_path(path);
  require_segment(parts.name);
  GraphSnapshot& owner = ensure_graph(root, parts.owner, levels_below + 1);
  const auto [at, is_new] = owner.subgraphs.try_emplace(std::string(parts.name));
  if (is_new) at->second.name = parts.name;
  return at->second;
}

inline NodeSlice& ensure_node(GraphSnapshot& root, std::string_view path) {
  if (NodeSlice* node = root.find(path)) return *node;
  const PathParts parts = split_path(path);
  require_segment(parts.name);
  return ensure_graph(root, parts.owner).nodes[std::string(parts.name)];
}

inline void put_slice(GraphSnapshot& root, std::string_view path, NodeSlice slice) {
  ensure_node(root, path) = std::move(slice);
}

inline void remove_node(GraphSnapshot& root, std::string_view path) {
  const PathParts parts = split_path(path);
  GraphSnapshot* owner = root.find_graph(parts.owner);
  if (owner == nullptr) return;
  if (const auto found = owner->nodes.find(parts.name); found != owner->nodes.end()) owner->nodes.erase(found);
}

inline void mount_graph(GraphSnapshot& root, std::string_view path, std::string_view name) {
  ensure_graph(root, path).name = name;
}

inline void unmount_graph(GraphSnapshot& root, std::string_view path) {
  const PathParts parts = split_path(path);
  GraphSnapshot* owner = root.find_graph(parts.owner);
  if (owner == nullptr) return;
  if (const auto found = owner->subgraphs.find(parts.name); found != owner->subgraphs.end()) {
    owner->subgraphs.erase(found);
  }
}

/// The status that a value gives, or its absence.
[[nodiscard]] inline NodeStatus implied_status(const NodeValue& value) {
  return {.kind = value ? NodeStatus::Kind::live : NodeStatus::Kind::sentinel};
}

inline void put_value(GraphSnapshot& root, std::string_view path, NodeValue value) {
  NodeSlice& node = ensure_node(root, path);
  node.status = implied_status(value);
  node.value = std::move(value);
}

inline void put_status(GraphSnapshot& root, std::string_view path, NodeStatus status) {
  ensure_node(root, path).status = std::move(status);
}

}  // namespace holdfast::detail
