#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/graph/storage.hpp"

/// A graph as it lies in its storage: keys, and the few facts that tell where it stands.
namespace holdfast::detail {

[[nodiscard]] std::string last_key(std::string_view graph);
[[nodiscard]] std::string history_prefix(std::string_view graph);
[[nodiscard]] std::string writer_key(std::string_view graph);

/// The record of the last frame written: `<graph>/last`.
struct LastRecord {
  std::uint64_t frame_seq = 0;
  Digest chain{};
};
[[nodiscard]] Bytes encode_last(const LastRecord& last);
/// nullopt for anything that encode_last does not write.
[[nodiscard]] std::optional<LastRecord> decode_last(ByteView bytes);

/// What can be told of a checkpoint without reading the state in it, and without judging it.
struct CheckpointHead {
  std::uint64_t seq = 0;
  std::uint64_t timestamp_ns = 0;
};
[[nodiscard]] std::optional<CheckpointHead> checkpoint_head(ByteView bytes);

/// One snapshot of the backends of a storage; that of the log is the older one, so that no pruning shows in it that
/// the checkpoint does not answer for.
class StoredGraph {
 public:
  StoredGraph(std::string_view graph, const GraphStorage& storage);

  [[nodiscard]] std::optional<Bytes> checkpoint() const;
  /// Lends it; false, and no call, when there is none.
  bool view_checkpoint(FunctionRef<void(ByteView)> use) const;
  [[nodiscard]] std::optional<Bytes> history(std::uint64_t seq) const;
  [[nodiscard]] std::vector<std::uint64_t> history_sequences() const;  ///< ascending
  [[nodiscard]] std::optional<Bytes> last() const;
  [[nodiscard]] std::optional<Bytes> writer() const;  ///< the mark of the attachment that writes
  [[nodiscard]] bool has_log() const noexcept { return log_ != nullptr; }
  [[nodiscard]] std::vector<std::uint64_t> frame_sequences() const;  ///< ascending
  [[nodiscard]] std::optional<Bytes> frame(std::uint64_t seq) const;
  [[nodiscard]] std::optional<std::uint64_t> highest_frame() const;
  /// Keys and values of the log above a frame's number, or all; other keys among them.
  [[nodiscard]] Scan frames_after(std::optional<std::uint64_t> seq) const;
  [[nodiscard]] std::optional<std::uint64_t> sequence_of(std::string_view frame_key) const noexcept;

  [[nodiscard]] bool empty() const;
  /// Of this place, by the backend objects that lead to it; changes with every write of a graph to it.
  [[nodiscard]] Digest fingerprint() const;
  /// For messages: the graph and its backends.
  [[nodiscard]] const std::string& where() const noexcept { return where_; }
  [[nodiscard]] const std::string& graph() const noexcept { return graph_; }

 private:
  std::string graph_;
  std::string checkpoint_key_;
  std::string log_prefix_;
  std::string where_;
  const StorageBackend* checkpoint_place_ = nullptr;  // only compared
  bool can_list_ = false;
  std::shared_ptr<const BackendSnapshot> log_;
  std::shared_ptr<const BackendSnapshot> checkpoints_;
};

/// The record of the last frame; nullopt when there is none.   Errors: RestoreError when it is unreadable.
[[nodiscard]] std::optional<LastRecord> read_last(const StoredGraph& stored);

/// Errors: OptionError when the WAL tier's prefix is not that of the graph.
void check_storage(std::string_view graph, const GraphStorage& storage);

}  // namespace holdfast::detail
