#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/core/clock.hpp"
#include "holdfast/core/entropy.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/graph/persistent_graph.hpp"
#include "holdfast/graph/storage.hpp"
#include "holdfast/tier/flusher.hpp"

namespace holdfast {

/// What to do where a state of that name is stored that this graph was not restored from.
enum class Existing {
  refuse,   ///< StateError{in_use}
  restore,  ///< restore it first
  replace,  ///< write this graph over it; the old checkpoint goes to the history
};

/// How far back one can go: which checkpoints are kept, each with the frames after it.
class Retention {
 public:
  /// The newest `count` checkpoints, at least 1.
  [[nodiscard]] static Retention latest(std::size_t count) { return Retention(count, std::nullopt); }
  /// As many as it takes to go back that far.
  [[nodiscard]] static Retention younger_than(std::chrono::nanoseconds age) { return Retention(1, age); }
  [[nodiscard]] static Retention everything() { return Retention(SIZE_MAX, std::nullopt); }

  /// More than the latest checkpoint.
  [[nodiscard]] bool keeps_older() const noexcept { return count_ > 1 || age_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> age() const noexcept { return age_; }

 private:
  Retention(std::size_t count, std::optional<std::chrono::nanoseconds> age) : count_(count), age_(age) {}

  std::size_t count_;
  std::optional<std::chrono::nanoseconds> age_;
};

struct AttachOptions {
  Existing existing = Existing::refuse;
  /// false: neither this node, nor, for a subgraph's path, anything below it is stored.
  std::function<bool(std::string_view path)> filter{};
  /// Gets the error of a flush that a change caused, with no lock held; without it the change's call throws it. Either
  /// way nothing is lost: the next flush carries it.
  std::function<void(std::exception_ptr)> on_error{};
  /// A checkpoint when floor(flushes / N) changes. Default: the checkpoint tier's compact_every, else 10.
  std::optional<std::size_t> checkpoint_every{};
  /// And not before the frames since the last one weigh so many times as much as it did; 0: at the plain cadence.
  double checkpoint_ratio = 1;
  Retention retention = Retention::latest(1);
  std::shared_ptr<const Clock> clock = system_clock();
  std::shared_ptr<const Entropy> entropy = system_entropy();  ///< marks who writes
};

/// A graph's tie to storage. Its destruction unties it: what is pending then is dropped, flush_all() first.
/// One attachment at a time writes to a place, also among processes: when another takes the place over, whose graph was
/// restored from all that this one has written, this one's flushes are ConflictErrors that write nothing.
/// Threads: all methods may be called at once. The graph must outlive it.
class HOLDFAST_API Attachment {
 public:
  Attachment(Attachment&&) noexcept;
  Attachment& operator=(Attachment&&) noexcept;
  ~Attachment();

  /// Writes everything pending.   Errors: as of the backends, ConflictError when another attachment has taken over; it
  /// is all still pending then. StateError{would_deadlock} within a batch of the graph.
  void flush_all();
  /// Lets `flusher` do that at its interval, as long as this lives.
  void flush_with(Flusher& flusher) const;
  /// Ends persistence: later changes write nothing. Waits for a flush under way, unless called within a batch.
  void dispose() noexcept;
  [[nodiscard]] bool has_pending() const;
  /// The highest sequence number that is stored.
  [[nodiscard]] std::uint64_t last_sequence() const;

  struct Core;
  explicit Attachment(std::shared_ptr<Core> core) noexcept;

 private:
  std::shared_ptr<Core> core_;
};

namespace detail {
[[nodiscard]] HOLDFAST_API Attachment attach(GraphPort graph, std::vector<GraphStorage> storages,
                                             AttachOptions options);
}

/// Ties `graph` to one or more storages: writes a full checkpoint now, and from then on every change before the call
/// that made it returns: a frame each, and a checkpoint at the cadence. While a storage's tiers have `debounce` set,
/// changes gather until flush_all() or a Flusher; attach's writes go past the tiers' own cadence.
/// One flush is one atomic batch where the tiers share a backend; on two, frames are durable before the checkpoint, and
/// it before old ones are pruned. Sequence numbers are shared by all storages and continue above the highest stored;
/// the first checkpoint has that number, or, where older states are kept, the next: what was stored can be gone back
/// to. Durable: when the change's call, or flush_all, has returned, as the backends promise. Errors:
/// StateError{in_use}, see Existing; ConflictError when another attaches there just now; OptionError;
///          RestoreError when what is stored cannot be read; LimitError for a change when a number is stored that none
///          follows; as of the backends. The graph is not tied then.
/// Cost:    a change costs its frame, whatever the size of the graph; a checkpoint the graph.
template <PersistentGraph G>
[[nodiscard]] Attachment attach(G& graph, std::vector<GraphStorage> storages, AttachOptions options = {}) {
  return detail::attach(detail::port_of(graph), std::move(storages), std::move(options));
}

template <PersistentGraph G>
[[nodiscard]] Attachment attach(G& graph, const GraphStorage& storage, AttachOptions options = {}) {
  return detail::attach(detail::port_of(graph), {storage}, std::move(options));
}

}  // namespace holdfast
