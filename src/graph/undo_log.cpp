#include "graph/undo_log.hpp"

#include "graph/replay_steps.hpp"

namespace holdfast::detail {
namespace {

/// Everything of `graph`, mounted at `path`, appears (`arrives`) or disappears.
enum class Turn { arrives, leaves };

void note_content(GraphCommit& commit, std::string_view path, const GraphSnapshot& graph, Turn turn) {
  for (const auto& [name, slice] : graph.nodes) {
    const std::string node = join_path(path, name);
    if (turn == Turn::arrives) {
      commit.note_node(node, std::nullopt, slice);
    } else {
      commit.note_node(node, slice, std::nullopt);
    }
  }
  for (const auto& [name, subgraph] : graph.subgraphs) {
    const std::string mount = join_path(path, name);
    if (turn == Turn::arrives) {
      commit.note_mount(mount, std::nullopt, subgraph.name);
    } else {
      commit.note_mount(mount, subgraph.name, std::nullopt);
    }
    note_content(commit, mount, subgraph, turn);
  }
}

}  // namespace

void GraphUndoLog::put_node(GraphSnapshot& root, std::string_view path, std::optional<NodeSlice> after) {
  Step step{.kind = Step::Kind::node, .path = std::string(path), .node_after = after};
  if (const NodeSlice* before = root.find(path)) step.node_before = *before;
  steps_.push_back(std::move(step));
  try {
    if (after) {
      put_slice(root, path, std::move(*after));
    } else {
      remove_node(root, path);
    }
  } catch (...) {
    steps_.pop_back();
    throw;
  }
}

void GraphUndoLog::put_graph(GraphSnapshot& root, std::string_view path, std::optional<GraphSnapshot> after) {
  Step step{.kind = Step::Kind::graph, .path = std::string(path), .graph_after = after};
  if (const GraphSnapshot* before = root.find_graph(path)) step.graph_before = *before;
  steps_.push_back(std::move(step));
  try {
    if (after) {
      ensure_graph(root, path) = std::move(*after);
    } else {
      unmount_graph(root, path);
    }
  } catch (...) {
    steps_.pop_back();
    throw;
  }
}

void GraphUndoLog::put_all(GraphSnapshot& root, GraphSnapshot after) {
  steps_.push_back({.kind = Step::Kind::all, .graph_after = after});
  steps_.back().graph_before = std::move(root);
  root = std::move(after);
}

void GraphUndoLog::undo_to(std::size_t size, GraphSnapshot& root) noexcept {
  while (steps_.size() > size) {
    Step& step = steps_.back();
    if (step.kind == Step::Kind::all) {
      root = std::move(*step.graph_before);
    } else if (step.kind == Step::Kind::graph) {
      if (step.graph_before) {
        ensure_graph(root, step.path) = std::move(*step.graph_before);
      } else {
        unmount_graph(root, step.path);
      }
    } else if (step.node_before) {
      put_slice(root, step.path, std::move(*step.node_before));
    } else {
      remove_node(root, step.path);
    }
    steps_.pop_back();
  }
}

GraphCommit GraphUndoLog::commit() const {
  GraphCommit commit;
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::node) {
      commit.note_node(step.path, step.node_before, step.node_after);
      continue;
    }
    if (step.kind == Step::Kind::graph) {
      const auto name = [](const auto& graph) {
        return graph ? std::optional<std::string>(graph->name) : std::optional<std::string>();
      };
      commit.note_mount(step.path, name(step.graph_before), name(step.graph_after));
    }
    if (step.graph_before) note_content(commit, step.path, *step.graph_before, Turn::leaves);
    if (step.graph_after) note_content(commit, step.path, *step.graph_after, Turn::arrives);
  }
  return commit;
}

}  // namespace holdfast::detail
