#include "holdfast/graph/snapshot.hpp"

namespace holdfast {
namespace {

/// Takes the first segment off `path`.
std::string_view take_segment(std::string_view& path) noexcept {
  const std::size_t end = path.find("::");
  const std::string_view segment = path.substr(0, end);
  path = end == std::string_view::npos ? std::string_view() : path.substr(end + 2);
  return segment;
}

template <class Snapshot>
Snapshot* graph_at(Snapshot* graph, std::string_view path) {
  while (graph != nullptr && !path.empty()) {
    const auto found = graph->subgraphs.find(take_segment(path));
    graph = found == graph->subgraphs.end() ? nullptr : &found->second;
  }
  return graph;
}

template <class Slice, class Snapshot>
Slice* node_at(Snapshot* root, std::string_view path) {
  const PathParts parts = split_path(path);
  Snapshot* graph = graph_at(root, parts.owner);
  if (graph == nullptr) return nullptr;
  const auto found = graph->nodes.find(parts.name);
  return found == graph->nodes.end() ? nullptr : &found->second;
}

}  // namespace

bool same_value(const NodeValue& a, const NodeValue& b) {
  if (a == b) return true;
  // Json's own == comes close, cheaply; it takes 2^53 + 1 for the double beside it.
  return a && b && *a == *b && canonical_text(*a) == canonical_text(*b);
}

PathParts split_path(std::string_view path) noexcept {
  const std::size_t at = path.rfind("::");
  if (at == std::string_view::npos) return {.owner = {}, .name = path};
  return {.owner = path.substr(0, at), .name = path.substr(at + 2)};
}

std::string join_path(std::string_view owner, std::string_view name) {
  std::string path(owner);
  if (!path.empty()) path += "::";
  return path += name;
}

const NodeSlice* GraphSnapshot::find(std::string_view path) const {
  return node_at<const NodeSlice>(this, path);
}
NodeSlice* GraphSnapshot::find(std::string_view path) {
  return node_at<NodeSlice>(this, path);
}
const GraphSnapshot* GraphSnapshot::find_graph(std::string_view path) const {
  return graph_at(this, path);
}
GraphSnapshot* GraphSnapshot::find_graph(std::string_view path) {
  return graph_at(this, path);
}

}  // namespace holdfast
