#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/graph/commit.hpp"
#include "holdfast/graph/snapshot.hpp"

namespace holdfast {

/// What can be attached to storage and restored: a StateGraph, or a model of your own that shows its state as one.
/// - snapshot() is the whole state, replace() takes one over;
/// - a change is told to hub().publish() while it excludes all others, and to hub().settle() after that;
/// - pause() returns a lock that keeps changes away while it lives; called within a change, it throws.
/// tests/examples/graph_state/own_model.cpp is one.
template <class G>
concept PersistentGraph = requires(G& graph, const G& constant, GraphSnapshot state) {
  { constant.name() } -> std::convertible_to<std::string_view>;
  { constant.snapshot() } -> std::same_as<GraphSnapshot>;
  graph.replace(std::move(state));
  graph.pause();
  { graph.hub() } -> std::same_as<CommitHub&>;
};

namespace detail {

/// A persistent graph whose type has been forgotten. Borrows it.
struct GraphPort {
  std::string name{};
  std::function<GraphSnapshot()> snapshot{};
  std::function<void(GraphSnapshot)> replace{};
  std::function<std::shared_ptr<void>()> pause{};
  CommitHub* hub = nullptr;
};

template <PersistentGraph G>
[[nodiscard]] GraphPort port_of(G& graph) {
  return {
      .name = std::string(std::string_view(graph.name())),
      .snapshot = [&graph] { return std::as_const(graph).snapshot(); },
      .replace = [&graph](GraphSnapshot state) { graph.replace(std::move(state)); },
      .pause = [&graph]() -> std::shared_ptr<void> { return std::make_shared<decltype(graph.pause())>(graph.pause()); },
      .hub = &graph.hub()};
}

}  // namespace detail
}  // namespace holdfast
