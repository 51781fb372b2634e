#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/graph/snapshot.hpp"

namespace holdfast {

/// A whole graph at one moment, as the snapshot tier keeps it.   Shape: src/graph/FORMAT.md.
struct CheckpointRecord {
  std::uint64_t seq = 0;           ///< the highest frame_seq it contains or covers; frames above it come after it
  std::uint64_t timestamp_ns = 0;  ///< nanoseconds since 1970
  GraphSnapshot snapshot{};
  std::optional<Digest> chain{};  ///< of the last frame it contains; zeros before the first
  bool operator==(const CheckpointRecord&) const = default;
};

/// Checkpoints to canonical JSON with a checksum, and back. Reads both dialects of GraphReFly: nested subgraphs, and
/// the flat form.
/// Errors: CodecError for what is no checkpoint; CorruptionError when the checksum, where present, is not that of the
///         text; StateError{newer_format}.
/// Threads: const methods may be called at once.
class HOLDFAST_API CheckpointCodec {
 public:
  [[nodiscard]] static std::string_view name() noexcept { return "checkpoint"; }
  [[nodiscard]] static std::uint32_t version() noexcept { return 1; }
  static void encode(const CheckpointRecord& record, Bytes& out);
  [[nodiscard]] static CheckpointRecord decode(ByteView bytes);
};

}  // namespace holdfast
