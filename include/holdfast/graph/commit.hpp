#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/core/export.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/graph/diff.hpp"
#include "holdfast/graph/snapshot.hpp"

namespace holdfast {

/// What one change, or one batch, did to a graph: what was there before it and after it, by path. A mount is the name
/// of the graph mounted at a path; the nodes below a path that is mounted or unmounted are listed one by one.
struct HOLDFAST_API GraphCommit {
  template <class State>
  struct Step {
    std::optional<State> before{};
    std::optional<State> after{};
  };
  std::map<std::string, Step<NodeSlice>, std::less<>> nodes{};
  std::map<std::string, Step<std::string>, std::less<>> mounts{};

  [[nodiscard]] bool empty() const noexcept { return nodes.empty() && mounts.empty(); }
  void note_node(std::string_view path, std::optional<NodeSlice> before, std::optional<NodeSlice> after);
  void note_mount(std::string_view path, std::optional<std::string> before, std::optional<std::string> after);
  /// Adds what happened next: the older `before` stays, the newer `after` wins.
  void merge(const GraphCommit& next);
  /// The difference in all. Empty when everything is as it was.
  [[nodiscard]] GraphDiff diff() const;
};

/// Who hears of a graph's commits.
struct CommitObserver {
  /// In the order of commits, before any other commit can happen: brief, without throwing or calling the graph.
  std::function<void(const GraphCommit&)> record{};
  /// In the committing thread, with no lock held, before its call returns; what it throws, that call throws.
  std::function<void()> settle{};
  /// As settle, with the commit. Commits of different threads may be heard in either order.
  std::function<void(const GraphCommit&)> hear{};
};

/// The part of a graph that others listen to, and its memory of where it was restored from. A model of your own that
/// is a PersistentGraph has one, publishes to it while its lock is held, and settles when the lock is released.
/// Threads: all methods may be called at once.
class HOLDFAST_API CommitHub {
 public:
  /// Ends with its destruction.
  using Subscription = std::shared_ptr<void>;
  [[nodiscard]] Subscription subscribe(CommitObserver observer);
  [[nodiscard]] bool observed() const;

  void publish(const GraphCommit& commit) const;
  /// Tells every observer, storage before others; then throws the first error that one of them threw.
  void settle(const GraphCommit& commit) const;

  /// Fingerprints of stored states that this graph holds: restore adds them, attach asks for them.
  void add_origin(const Digest& fingerprint);
  [[nodiscard]] bool has_origin(const Digest& fingerprint) const;

 private:
  using Observers = std::vector<std::weak_ptr<const CommitObserver>>;
  [[nodiscard]] std::vector<std::shared_ptr<const CommitObserver>> living() const;

  mutable std::mutex mutex_;
  Observers observers_;
  std::vector<Digest> origins_;
};

}  // namespace holdfast
