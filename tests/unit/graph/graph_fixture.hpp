#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "holdfast/backend/memory.hpp"
#include "holdfast/core/clock.hpp"
#include "holdfast/graph/attach.hpp"
#include "holdfast/graph/history.hpp"
#include "holdfast/graph/restore.hpp"
#include "holdfast/graph/state_graph.hpp"

namespace holdfast::testing {

/// A clock that stands where it is put.
class SetClock final : public Clock {
 public:
  std::chrono::system_clock::time_point time{std::chrono::seconds(1'000'000)};
  [[nodiscard]] std::chrono::system_clock::time_point now() const override { return time; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return {}; }
};

inline const AttachOptions plain_cadence_of_three = {.checkpoint_every = 3, .checkpoint_ratio = 0};
/// Frames only, after the first checkpoint.
inline const AttachOptions no_more_checkpoints = {.checkpoint_every = 1'000'000};

inline std::vector<std::string> stored_keys(const StorageBackend& backend, const std::string& prefix = "") {
  std::vector<std::string> keys;
  Scan scan = backend.keys(prefix);
  for (const Entry& entry : scan) keys.push_back(entry.key);
  return keys;
}

inline std::uint64_t stored_checkpoint_seq(const StorageBackend& backend) {
  return CheckpointCodec::decode(backend.read("g").value()).seq;
}

/// The state that a new graph restores.
inline GraphSnapshot restored(const GraphStorage& storage, const RestoreOptions& options = {}) {
  StateGraph graph("g");
  (void)restore(graph, storage, options);
  return graph.snapshot();
}

inline std::uint64_t frame_count(const StorageBackend& backend) {
  return stored_keys(backend, "g/wal/").size();
}

}  // namespace holdfast::testing
