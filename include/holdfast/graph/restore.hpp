#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/core/error.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/graph/persistent_graph.hpp"
#include "holdfast/graph/storage.hpp"
#include "holdfast/wal/frame.hpp"

namespace holdfast {

/// Whether the graph takes over what was read, or everything but that is done.
enum class RestoreMode { apply, dry_run };

enum class OnDamage { stop, skip };

struct RestoreOptions {
  std::optional<std::uint64_t> target_seq{};  ///< up to this sequence number, itself included
  /// The state of then: up to the first frame that is later.
  std::optional<std::chrono::system_clock::time_point> target_time{};
  RestoreMode mode = RestoreMode::apply;
  std::vector<Lifecycle> lifecycles{};  ///< apply only frames of these; empty: of all
  /// Asked about every damage but that of a checkpoint; skip leaves the frame out and goes on. Empty: stop.
  std::function<OnDamage(const RestoreError::Facts&)> on_damage{};
};

/// What a chain of checksums said: every frame follows the one before it, or there was none to say so throughout.
enum class ChainVerdict { verified, absent };

struct RestoreResult {
  std::uint64_t checkpoint_seq = 0;  ///< of the checkpoint it started from
  std::uint64_t final_seq = 0;       ///< of the state it gave
  std::uint64_t final_t_ns = 0;      ///< when that was written
  std::uint64_t replayed = 0;        ///< frames applied
  std::uint64_t torn = 0;            ///< bad frames at the end of the log, never acknowledged
  std::uint64_t skipped = 0;         ///< damaged or missing, left out because on_damage said so
  std::uint64_t filtered = 0;        ///< of a lifecycle that was not asked for
  std::uint64_t unknown = 0;         ///< of a structure or kind this version does not know: kept, not applied
  std::array<std::uint64_t, 3> replayed_by_lifecycle{};  ///< by Lifecycle
  ChainVerdict chain = ChainVerdict::absent;
  std::vector<RestoreError::Facts> torn_frames{};   ///< the first sixteen
  std::size_t source = 0;                           ///< which of the storages of restore_from it was
  std::vector<std::exception_ptr> source_errors{};  ///< of those before it
};

namespace detail {
[[nodiscard]] HOLDFAST_API std::optional<RestoreResult> restore(const GraphPort& graph,
                                                                const std::vector<GraphStorage>& storages,
                                                                const RestoreOptions& options);
}

/// Brings back what is stored under the graph's name: the newest checkpoint (at or before the target) and the frames
/// after it, in sequence order, verified one by one into a second graph, which takes the place of `graph`'s content in
/// one commit at the end. When it fails, `graph` is as it was. nullopt: nothing is stored there.
/// It reads one snapshot of each backend. Bad frames above everything acknowledged are the torn end of a crash:
/// skipped and reported.
/// Errors: RestoreError that names the sequence; StateError{foreign} when the checkpoint is another graph's; as of the
///         backend.   Cost: linear in checkpoint and frames; memory for one more copy of the state.
template <PersistentGraph G>
std::optional<RestoreResult> restore(G& graph, const GraphStorage& storage, const RestoreOptions& options = {}) {
  return detail::restore(detail::port_of(graph), {storage}, options);
}

/// As restore, from the first of `storages` that restores wholly. Errors of those before it are in the result; when
/// none does, the first error is thrown; nullopt: nothing is stored in any.
template <PersistentGraph G>
std::optional<RestoreResult> restore_from(G& graph, const std::vector<GraphStorage>& storages,
                                          const RestoreOptions& options = {}) {
  return detail::restore(detail::port_of(graph), storages, options);
}

/// What restore would do, without building a graph.
[[nodiscard]] HOLDFAST_API std::optional<RestoreResult> verify_log(std::string_view graph, const GraphStorage& storage,
                                                                   const RestoreOptions& options = {});

}  // namespace holdfast
