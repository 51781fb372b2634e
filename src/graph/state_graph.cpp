#include "holdfast/graph/state_graph.hpp"

#include "core/printable.hpp"
#include "graph/replay_steps.hpp"
#include "graph/undo_log.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {
namespace {

void check_depth(const Json& value, std::size_t levels_left) {
  if (!value.is_structured()) return;
  if (levels_left == 0) {
    throw LimitError({.limit = "max_graph_value_depth",
                      .maximum = limits::max_graph_value_depth,
                      .actual = limits::max_graph_value_depth + 1,
                      .unit = "levels"});
  }
  for (const Json& item : value) check_depth(item, levels_left - 1);
}

/// Only what has a canonical text comes in: later, in a flush, it would be too late to refuse.
void check_value(const NodeValue& value) {
  if (!value) return;
  check_depth(*value, limits::max_graph_value_depth);
  thread_local Bytes scratch;
  scratch.clear();
  append_canonical(*value, scratch);
}

void check_segment(std::string_view segment) {
  if (!detail::is_segment(segment) || !is_utf8(segment)) {
    throw OptionError(
        {.option = "path",
         .problem = "the segment " + printable(segment) + " is empty, begins or ends with ':', or is not UTF-8"});
  }
}

void check_levels(std::size_t levels) {
  if (levels > limits::max_graph_mount_depth) {
    throw LimitError({.limit = "max_graph_mount_depth",
                      .maximum = limits::max_graph_mount_depth,
                      .actual = levels,
                      .unit = "levels"});
  }
}

std::size_t levels_of(std::string_view path) noexcept {
  std::size_t levels = 0;
  for (; !path.empty(); path = split_path(path).owner) ++levels;
  return levels;
}

void check_slice(const NodeSlice& slice) {
  check_value(slice.value);
  check_value(slice.status.error);
  for (const std::string& path : slice.deps) {
    if (!is_utf8(path)) throw OptionError({.option = "deps", .problem = "a path is not UTF-8"});
  }
}

void check_content(const GraphSnapshot& graph, std::size_t level) {
  check_levels(level);
  if (!is_utf8(graph.name)) throw OptionError({.option = "name", .problem = "a graph's name is not UTF-8"});
  for (const auto& [name, slice] : graph.nodes) {
    check_segment(name);
    check_slice(slice);
  }
  for (const auto& [name, subgraph] : graph.subgraphs) {
    check_segment(name);
    check_content(subgraph, level + 1);
  }
}

void check_names_are_free(const GraphSnapshot& graph) {
  for (const auto& [name, subgraph] : graph.subgraphs) {
    if (graph.nodes.contains(name)) {
      throw ConflictError({.key = name, .problem = "is the name of a node and of a subgraph"});
    }
    check_names_are_free(subgraph);
  }
}

}  // namespace

struct StateGraph::State {
  CommitHub hub;
  std::recursive_mutex mutex;
  // Guarded by the mutex.
  GraphSnapshot root;
  detail::GraphUndoLog log;
  std::size_t batch_depth = 0;

  // What `path` must be for something new to be put there.
  void check_place(std::string_view path) {
    const PathParts parts = split_path(path);
    check_segment(parts.name);
    if (root.find_graph(parts.owner) == nullptr) {
      throw ConflictError({.key = std::string(path), .problem = "no subgraph is mounted at its owner's path"});
    }
  }
  void check_no_node(std::string_view path) {
    if (root.find(path) != nullptr) throw ConflictError({.key = std::string(path), .problem = "there is such a node"});
  }
  void check_no_graph(std::string_view path) {
    if (root.find_graph(path) != nullptr) {
      throw ConflictError({.key = std::string(path), .problem = "a subgraph is mounted there"});
    }
  }
};

StateGraph::StateGraph(std::string name) : name_(std::move(name)), state_(std::make_unique<State>()) {
  if (name_.empty() || !is_utf8(name_)) {
    throw OptionError({.option = "name", .problem = "a graph's name is UTF-8 and not empty"});
  }
  state_->root.name = name_;
}

StateGraph::~StateGraph() = default;

void StateGraph::run_batch(FunctionRef<void()> fn) {
  GraphCommit commit;
  {
    const std::lock_guard lock(state_->mutex);
    const std::size_t begin = state_->log.size();
    ++state_->batch_depth;
    try {
      fn();
      if (state_->batch_depth == 1 && !state_->log.empty() && state_->hub.observed()) commit = state_->log.commit();
    } catch (...) {
      state_->log.undo_to(begin, state_->root);
      --state_->batch_depth;
      throw;
    }
    if (--state_->batch_depth > 0) return;
    state_->log = {};
    if (commit.empty()) return;
    state_->hub.publish(commit);
  }
  state_->hub.settle(commit);
}

void StateGraph::add(std::string_view path) {
  add(path, NodeSlice{});
}

void StateGraph::add(std::string_view path, Json value) {
  NodeSlice slice;
  slice.value = node_value(std::move(value));
  slice.status.kind = NodeStatus::Kind::live;
  add(path, std::move(slice));
}

void StateGraph::add(std::string_view path, NodeSlice slice) {
  check_slice(slice);
  run_batch([&] {
    state_->check_place(path);
    state_->check_no_node(path);
    state_->check_no_graph(path);
    state_->log.put_node(state_->root, path, std::move(slice));
  });
}

void StateGraph::set(std::string_view path, Json value) {
  NodeValue shared = node_value(std::move(value));
  check_value(shared);
  run_batch([&] {
    const NodeSlice* node = state_->root.find(path);
    NodeSlice after;
    if (node == nullptr) {
      state_->check_place(path);
      state_->check_no_graph(path);
    } else {
      after = *node;
      if (after.status.kind == NodeStatus::Kind::completed || after.status.kind == NodeStatus::Kind::errored) {
        throw StateError({.state = holdfast::State::closed,
                          .where = "node " + printable(path),
                          .problem = "a value for a node that has completed or failed"});
      }
    }
    after.status = detail::implied_status(shared);
    after.value = std::move(shared);
    state_->log.put_node(state_->root, path, std::move(after));
  });
}

NodeValue StateGraph::view(std::string_view path) const {
  const std::lock_guard lock(state_->mutex);
  const NodeSlice* node = state_->root.find(path);
  return node != nullptr ? node->value : nullptr;
}

std::optional<Json> StateGraph::get(std::string_view path) const {
  const NodeValue value = view(path);
  if (!value) return std::nullopt;
  return *value;
}

std::optional<NodeStatus> StateGraph::status(std::string_view path) const {
  const std::lock_guard lock(state_->mutex);
  const NodeSlice* node = state_->root.find(path);
  if (node == nullptr) return std::nullopt;
  return node->status;
}

bool StateGraph::contains(std::string_view path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->root.find(path) != nullptr;
}

bool StateGraph::end_node(std::string_view path, NodeStatus status) {
  return batch([&] {
    const NodeSlice* node = state_->root.find(path);
    if (node == nullptr) return false;
    NodeSlice after = *node;
    if (status.kind == NodeStatus::Kind::sentinel) {
      if (after.status.kind == NodeStatus::Kind::completed || after.status.kind == NodeStatus::Kind::errored) {
        throw StateError({.state = holdfast::State::closed,
                          .where = "node " + printable(path),
                          .problem = "invalidation of a node that has completed or failed"});
      }
      after.value = nullptr;
    }
    after.status = std::move(status);
    state_->log.put_node(state_->root, path, std::move(after));
    return true;
  });
}

bool StateGraph::invalidate(std::string_view path) {
  return end_node(path, {});
}

bool StateGraph::complete(std::string_view path) {
  return end_node(path, {.kind = NodeStatus::Kind::completed});
}

bool StateGraph::fail(std::string_view path, std::optional<Json> error) {
  NodeStatus status{.kind = NodeStatus::Kind::errored};
  if (error) status.error = node_value(std::move(*error));
  check_value(status.error);
  return end_node(path, std::move(status));
}

bool StateGraph::remove(std::string_view path) {
  return batch([&] {
    if (state_->root.find(path) == nullptr) return false;
    state_->log.put_node(state_->root, path, std::nullopt);
    return true;
  });
}

void StateGraph::mount(std::string_view path, GraphSnapshot subgraph) {
  check_content(subgraph, levels_of(path));
  check_names_are_free(subgraph);
  run_batch([&] {
    state_->check_place(path);
    state_->check_no_node(path);
    state_->check_no_graph(path);
    state_->log.put_graph(state_->root, path, std::move(subgraph));
  });
}

bool StateGraph::unmount(std::string_view path) {
  return batch([&] {
    if (path.empty() || state_->root.find_graph(path) == nullptr) return false;
    state_->log.put_graph(state_->root, path, std::nullopt);
    return true;
  });
}

CommitHub::Subscription StateGraph::observe(std::function<void(const GraphCommit&)> hear) {
  return state_->hub.subscribe({.hear = std::move(hear)});
}

GraphSnapshot StateGraph::snapshot() const {
  const std::lock_guard lock(state_->mutex);
  return state_->root;
}

void StateGraph::replace(GraphSnapshot state) {
  // A node and a subgraph may share a name here: so it stands between two frames of one batch.
  state.name = name_;
  check_content(state, 0);
  run_batch([&] { state_->log.put_all(state_->root, std::move(state)); });
}

std::unique_lock<std::recursive_mutex> StateGraph::pause() const {
  std::unique_lock lock(state_->mutex);
  if (state_->batch_depth > 0) {
    throw StateError({.state = holdfast::State::would_deadlock,
                      .where = "graph " + printable(name_),
                      .problem = "a batch of this thread is still running"});
  }
  return lock;
}

CommitHub& StateGraph::hub() const noexcept {
  return state_->hub;
}

}  // namespace holdfast
