#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/backend/backend.hpp"
#include "holdfast/codec/raw.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/graph/checkpoint.hpp"
#include "holdfast/tier/kv.hpp"
#include "holdfast/tier/snapshot.hpp"

namespace holdfast {

/// The latest checkpoint of a graph; its name is by default the graph's.
using CheckpointTier = SnapshotTier<CheckpointRecord, CheckpointCodec>;
/// The frames of a graph: prefix wal_prefix(graph).
using WalTier = KvTier<Bytes, RawCodec<Bytes>>;

/// Where a graph is kept: a tier for checkpoints and, so that a change costs no checkpoint, one for frames. It takes
/// from the tiers where and when they write; they may be destroyed.
/// Shape: src/graph/FORMAT.md.
struct HOLDFAST_API GraphStorage {
  /// Checkpoints only: every flush writes the whole graph.
  explicit GraphStorage(const CheckpointTier& checkpoint_tier);
  GraphStorage(const CheckpointTier& checkpoint_tier, const WalTier& wal_tier);
  /// Both, on one backend, under the names that the graph's name gives.
  /// Errors: OptionError for a null backend.
  GraphStorage(std::shared_ptr<StorageBackend> backend, std::string_view graph);

  std::shared_ptr<StorageBackend> checkpoints{};
  std::string checkpoint_key{};
  std::shared_ptr<StorageBackend> log{};  ///< null: none
  std::string log_prefix{};
  bool debounce = false;                       ///< either tier's
  std::optional<std::size_t> compact_every{};  ///< the checkpoint tier's
};

}  // namespace holdfast
