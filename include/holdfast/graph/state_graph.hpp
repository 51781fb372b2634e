#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/graph/commit.hpp"
#include "holdfast/graph/snapshot.hpp"

namespace holdfast {

template <class T>
class GraphNode;

/// Named JSON values, the state of an application, that can be attached to storage (attach.hpp).
///
/// A node has a path, "settings::theme"; its segments before the last name subgraphs, mounted one in the other. A node
/// may have a value, and has a status: sentinel without, live with one, completed or errored at its end. A node that
/// has ended refuses values; remove and add it to begin anew.
/// Invariant: a value in a graph has a canonical text, at most limits::max_graph_value_depth deep.
/// Threads:   all methods may be called at once; a batch excludes other threads for its duration.
/// Durable:   nothing, until it is attached; then as attach says.
/// Errors:    CodecError for a value JSON cannot say; LimitError; OptionError for a path with an empty segment or that
///            is not UTF-8; ConflictError for a name taken, or a subgraph that is not mounted; StateError{closed} for a
///            value of a node that has ended. Nothing has changed then. What an attachment's flush throws comes after
///            the change: it has happened, here, and the next flush carries it.
class HOLDFAST_API StateGraph {
 public:
  explicit StateGraph(std::string name);
  ~StateGraph();
  StateGraph(const StateGraph&) = delete;
  StateGraph& operator=(const StateGraph&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Nodes.
  void add(std::string_view path);                   ///< a sentinel
  void add(std::string_view path, Json value);       ///< live
  void add(std::string_view path, NodeSlice slice);  ///< as given
  /// Gives the node a value and makes it live; adds it when absent.
  void set(std::string_view path, Json value);
  /// The value; nullopt when there is no node, or it has none.   Cost: a copy; view() makes none.
  [[nodiscard]] std::optional<Json> get(std::string_view path) const;
  /// The value itself, shared; null when there is none.
  [[nodiscard]] NodeValue view(std::string_view path) const;
  [[nodiscard]] std::optional<NodeStatus> status(std::string_view path) const;
  [[nodiscard]] bool contains(std::string_view path) const;
  // These say whether there was such a node.
  bool invalidate(std::string_view path);  ///< takes the value: a sentinel again
  bool complete(std::string_view path);
  bool fail(std::string_view path, std::optional<Json> error = {});
  bool remove(std::string_view path);

  // Subgraphs.
  void mount(std::string_view path, GraphSnapshot subgraph);
  /// With everything below it; says whether there was one.
  bool unmount(std::string_view path);

  /// The node as a T, by nlohmann's to_json and from_json.
  template <class T>
  [[nodiscard]] GraphNode<T> node(std::string path) {
    return GraphNode<T>(*this, std::move(path));
  }

  /// Runs `fn`: what it does to this graph happens whole, or, when it throws, not at all. Observers and attachments
  /// hear of it once, at the end of the outermost batch. Returns what `fn` returns.
  template <class Fn>
  std::invoke_result_t<Fn&> batch(Fn&& fn) {
    using Result = std::invoke_result_t<Fn&>;
    if constexpr (std::is_void_v<Result>) {
      run_batch([&] { fn(); });
    } else {
      std::optional<Result> result;
      run_batch([&] { result.emplace(fn()); });
      return std::move(*result);
    }
  }

  /// Calls `hear` after every commit, with no lock held, in the thread that committed; commits of different threads may
  /// be heard in either order. Ends with the returned subscription's destruction.
  [[nodiscard]] CommitHub::Subscription observe(std::function<void(const GraphCommit&)> hear);

  // What makes it a PersistentGraph.
  [[nodiscard]] GraphSnapshot snapshot() const;  ///< Cost: the nodes; values are shared
  void replace(GraphSnapshot state);             ///< one commit; the name stays this graph's own
  /// Keeps other threads from committing while it lives.   Errors: StateError{would_deadlock} within a batch.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> pause() const;
  [[nodiscard]] CommitHub& hub() const noexcept;

 private:
  struct State;
  void run_batch(FunctionRef<void()> fn);
  bool end_node(std::string_view path, NodeStatus status);

  std::string name_;
  std::unique_ptr<State> state_;
};

/// One node of a graph, seen as a T. Borrows the graph.
/// Threads: as the graph.
template <class T>
class GraphNode {
 public:
  GraphNode(StateGraph& graph, std::string path) : graph_(&graph), path_(std::move(path)) {}

  /// nullopt when the node is absent or has no value.   Errors: CodecError when its value is no T.
  [[nodiscard]] std::optional<T> get() const {
    const NodeValue value = graph_->view(path_);
    if (!value) return std::nullopt;
    try {
      return value->template get<T>();
    } catch (...) {
      detail::throw_json_error("from_json");
    }
  }

  void set(const T& value) { graph_->set(path_, to_document(value)); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  static Json to_document(const T& value) {
    try {
      return Json(value);
    } catch (...) {
      detail::throw_json_error("to_json");
    }
  }

  StateGraph* graph_;
  std::string path_;
};

}  // namespace holdfast
