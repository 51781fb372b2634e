#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/stored_graph.hpp"
#include "holdfast/core/write_batch.hpp"
#include "holdfast/graph/attach.hpp"

namespace holdfast::detail {

/// What one flush writes, the same for every place.
struct FlushContent {
  /// `changes`: frames, and maybe a checkpoint. `cover`: a checkpoint that stands for everything up to its number,
  /// also for what an attempt that failed may have left. `replace`: the same over another graph's state.
  enum class Kind { changes, cover, replace };
  Kind kind = Kind::changes;
  std::uint64_t seq = 0;  ///< the number of the state
  std::uint64_t t_ns = 0;
  Digest chain{};
  std::vector<std::pair<std::uint64_t, Bytes>> frames{};
  Bytes checkpoint{};  ///< for the places that are due one
};

enum class Checkpointing { no, yes };

/// One storage of an attachment: what lies there, and how a flush gets there.
/// One attachment at a time writes to a place: its first write puts its mark beside the log, and every write requires
/// the mark to be there. A place without a log, or the checkpoints of one with a log elsewhere, are guarded by the
/// checkpoint that is replaced.
/// Threads: one at a time.
class StoredPlace {
 public:
  /// `mark` is the attachment's own: as no other's.
  StoredPlace(std::string_view graph, GraphStorage storage, Bytes mark, std::size_t checkpoint_every,
              double checkpoint_ratio, Retention retention);

  /// Reads what is stored now.   Errors: RestoreError when it cannot be told where the log stands.
  void look();
  [[nodiscard]] bool empty() const noexcept { return !current_ && frames_.empty() && !last_ && kept_.empty(); }
  /// The highest number in use: of a checkpoint, a frame, torn ones too, or the record of the last one.
  [[nodiscard]] std::uint64_t highest() const;
  /// When the newest of what look() saw was written; 0 when there was nothing.
  [[nodiscard]] std::uint64_t newest_t_ns() const noexcept { return newest_t_ns_; }
  [[nodiscard]] std::optional<LastRecord> last() const noexcept { return last_; }
  /// Of what look() saw.
  [[nodiscard]] const Digest& fingerprint() const noexcept { return fingerprint_; }
  [[nodiscard]] const GraphStorage& storage() const noexcept { return storage_; }

  /// Whether the `number`th flush, from 1, is to write a checkpoint here.
  [[nodiscard]] bool checkpoint_due(std::uint64_t number);
  /// Errors: ConflictError when another attachment has written here since: nothing is written then.
  void write(FlushContent content, Checkpointing checkpointing);

 private:
  struct Batches {
    WriteBatch log;
    WriteBatch checkpoints;
    WriteBatch prune_log;
    WriteBatch prune_checkpoints;
  };

  void look_again();
  void write_frames(FlushContent content);
  void write_checkpoint(FlushContent content);
  void stage_checkpoint(FlushContent& content, Batches& batches);
  [[nodiscard]] std::uint64_t prune(const FlushContent& content, Batches& batches);
  void take_log_over(WriteBatch& guards);
  void apply(Batches batches, FlushContent::Kind kind) const;
  void guard_log(WriteBatch& batch) const;
  void guard_checkpoint(WriteBatch& batch) const;
  /// Whether the log is on a backend of its own.
  [[nodiscard]] bool is_divided() const noexcept { return storage_.log && storage_.log != storage_.checkpoints; }
  [[nodiscard]] std::string frame_key_of(std::uint64_t seq) const;
  [[nodiscard]] std::string history_key_of(std::uint64_t seq) const;

  std::string graph_;
  GraphStorage storage_;
  Bytes mark_;
  std::size_t checkpoint_every_;
  double checkpoint_ratio_;
  Retention retention_;

  std::optional<CheckpointHead> current_;  // under the checkpoint tier's key
  std::vector<CheckpointHead> kept_;       // in the history, ascending
  std::optional<std::uint64_t> pinned_;    // of another graph, replaced: kept whatever the retention
  std::deque<std::uint64_t> frames_;       // stored, ascending
  std::optional<LastRecord> last_;
  std::uint64_t newest_t_ns_ = 0;
  std::optional<Bytes> writer_;  // the mark that is there
  Digest fingerprint_{};
  std::optional<Digest> checkpoint_digest_;            // of what is stored under the checkpoint tier's key
  std::optional<Digest> attempted_checkpoint_digest_;  // of what a write that failed may have stored there
  bool due_ = false;
  double frame_bytes_ = 0;       // since the current checkpoint
  double checkpoint_bytes_ = 0;  // of the current checkpoint
};

}  // namespace holdfast::detail
