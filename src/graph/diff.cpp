#include "holdfast/graph/diff.hpp"

#include <map>
#include <string_view>
#include <utility>

#include "graph/change_text.hpp"
#include "graph/node_difference.hpp"
#include "graph/replay_steps.hpp"

namespace holdfast {
namespace {

using detail::ChangeText;

/// Calls `use(key, before, after)` for the keys of two maps in order; null where a map lacks the key.
template <class Map, class Use>
void walk_both(const Map& before, const Map& after, Use use) {
  auto b = before.begin();
  auto a = after.begin();
  while (b != before.end() || a != after.end()) {
    if (a == after.end() || (b != before.end() && b->first < a->first)) {
      use(b->first, &b->second, nullptr);
      ++b;
    } else if (b == before.end() || a->first < b->first) {
      use(a->first, nullptr, &a->second);
      ++a;
    } else {
      use(b->first, &b->second, &a->second);
      ++b, ++a;
    }
  }
}

void compare_graphs(std::string_view at, const GraphSnapshot& before, const GraphSnapshot& after, GraphDiff& diff) {
  using Slice = const NodeSlice*;
  using Graph = const GraphSnapshot*;
  walk_both(before.nodes, after.nodes, [&](const std::string& name, Slice old_node, Slice new_node) {
    detail::compare_nodes(join_path(at, name), old_node, new_node, diff);
  });
  walk_both(before.subgraphs, after.subgraphs, [&](const std::string& name, Graph old_graph, Graph new_graph) {
    std::string path = join_path(at, name);
    if (new_graph == nullptr) {
      diff.unmounted.push_back(std::move(path));
      return;
    }
    if (old_graph == nullptr || old_graph->name != new_graph->name) diff.mounted.push_back({path, new_graph->name});
    compare_graphs(path, old_graph != nullptr ? *old_graph : GraphSnapshot{}, *new_graph, diff);
  });
}

std::string json_string(std::string_view text) {
  return canonical_text(Json(std::string(text)));
}

ChangeText spec(std::string_view path, std::string payload) {
  return {.lifecycle = Lifecycle::spec, .path = path, .structure = "graph.spec", .payload = std::move(payload)};
}

ChangeText data(std::string_view path, std::string payload) {
  return {.lifecycle = Lifecycle::data, .path = path, .structure = "graph.value", .payload = std::move(payload)};
}

}  // namespace

void detail::for_each_change(const GraphDiff& diff, FunctionRef<void(const ChangeText&)> use) {
  for (const auto& [path, slice] : diff.added) {
    use(spec(path, "{\"kind\":\"graph.add\",\"nodeId\":" + json_string(path) +
                       ",\"slice\":" + canonical_text(slice_to_json(slice)) + "}"));
  }
  for (const auto& path : diff.removed) {
    use(spec(path, "{\"kind\":\"graph.remove\",\"nodeId\":" + json_string(path) + "}"));
  }
  for (const auto& [path, subgraph] : diff.mounted) {
    use(spec(path, "{\"kind\":\"graph.mount\",\"path\":" + json_string(path) +
                       ",\"subgraphId\":" + json_string(subgraph) + "}"));
  }
  for (const auto& path : diff.unmounted) {
    use(spec(path, "{\"kind\":\"graph.unmount\",\"path\":" + json_string(path) + "}"));
  }
  std::map<std::string_view, NodeStatus> implied;
  for (const auto& [path, value] : diff.values) {
    if (value) {
      use(data(path,
               "{\"kind\":\"node.set\",\"path\":" + json_string(path) + ",\"value\":" + canonical_text(*value) + "}"));
    } else {
      use(data(path, "{\"kind\":\"node.invalidate\",\"path\":" + json_string(path) + "}"));
    }
    if (!diff.statuses.empty()) implied[path] = implied_status(value);
  }
  for (const auto& [path, status] : diff.statuses) {
    if (const auto by_value = implied.find(path); by_value != implied.end() && by_value->second == status) continue;
    use(data(path, "{\"kind\":\"node.status\",\"path\":" + json_string(path) +
                       ",\"status\":" + canonical_text(status_to_json(status)) + "}"));
  }
}

void detail::compare_nodes(std::string path, const NodeSlice* before, const NodeSlice* after, GraphDiff& diff) {
  if (after == nullptr) {
    if (before != nullptr) diff.removed.push_back(std::move(path));
    return;
  }
  if (before == nullptr || before->type != after->type || before->deps != after->deps) {
    diff.added.push_back({std::move(path), *after});
    return;
  }
  const bool valued = !same_value(before->value, after->value);
  // A new value makes a node live in the eyes of who replays it; where it is not, its status is said again.
  const bool misled = valued && !(after->status == implied_status(after->value));
  if (misled || !(before->status == after->status)) diff.statuses.push_back({path, after->status});
  if (valued) diff.values.push_back({std::move(path), after->value});
}

GraphDiff diff_snapshots(const GraphSnapshot& before, const GraphSnapshot& after) {
  GraphDiff diff;
  compare_graphs({}, before, after, diff);
  return diff;
}

void apply_diff(const GraphDiff& diff, GraphSnapshot& state) {
  for (const auto& [path, slice] : diff.added) detail::put_slice(state, path, slice);
  for (const auto& path : diff.removed) detail::remove_node(state, path);
  for (const auto& [path, subgraph] : diff.mounted) detail::mount_graph(state, path, subgraph);
  for (const auto& path : diff.unmounted) detail::unmount_graph(state, path);
  for (const auto& [path, value] : diff.values) detail::put_value(state, path, value);
  for (const auto& [path, status] : diff.statuses) detail::put_status(state, path, status);
}

std::vector<WalFrame> decompose_diff(const GraphDiff& diff, std::uint64_t t_ns, std::uint64_t base) {
  std::vector<WalFrame> frames;
  detail::for_each_change(diff, [&](const ChangeText& change) {
    frames.push_back({.lifecycle = change.lifecycle,
                      .path = std::string(change.path),
                      .change = {.structure = std::string(change.structure),
                                 .version = std::uint64_t{1},
                                 .t_ns = t_ns,
                                 .lifecycle = change.lifecycle,
                                 .payload = parse_json(change.payload)},
                      .frame_seq = base + 1 + frames.size(),
                      .frame_t_ns = t_ns});
  });
  return frames;
}

}  // namespace holdfast
