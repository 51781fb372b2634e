#pragma once

#include <optional>

#include "graph/stored_graph.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/graph/restore.hpp"
#include "holdfast/wal/verify.hpp"

namespace holdfast::detail {

/// What was read, judged and, where asked, built.
struct Replayed {
  RestoreResult result{};
  GraphSnapshot state{};
};

/// Whether a state comes of it. `verify` does everything else.
enum class ReplayUse { build, verify };

/// Reads the checkpoint that the options ask for and the frames after it.
/// nullopt: nothing is stored.   Errors: as restore.
[[nodiscard]] std::optional<Replayed> replay(const StoredGraph& stored, const RestoreOptions& options, ReplayUse use);

/// Makes the change of a frame happen to `state`; whether its structure and kind are known.
/// Errors: CodecError for a payload that is none of its kind.
enum class Applied { done, unknown };
[[nodiscard]] Applied apply_change(const ChangeView& change, GraphSnapshot& state);

/// The checkpoint that `bytes` are, judged.   Errors: RestoreError; StateError{foreign}.
[[nodiscard]] CheckpointRecord read_checkpoint(const StoredGraph& stored, ByteView bytes);

}  // namespace holdfast::detail
