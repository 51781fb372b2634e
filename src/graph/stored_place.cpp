#include "graph/stored_place.hpp"

#include <algorithm>
#include <utility>

#include "holdfast/core/error.hpp"
#include "holdfast/wal/frame.hpp"
#include "holdfast/wal/verify.hpp"

namespace holdfast::detail {

namespace {

std::optional<Digest> digest_of(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return sha256(*bytes);
}

void require(WriteBatch& batch, std::string_view key, const std::optional<Bytes>& value) {
  if (value) {
    batch.require_value(key, *value);
  } else {
    batch.require_absent(key);
  }
}

[[noreturn]] void taken_over(std::string_view graph) {
  throw ConflictError({.key = writer_key(graph),
                       .problem = "another attachment writes this graph by now; what this one holds is not stored"});
}

}  // namespace

StoredPlace::StoredPlace(std::string_view graph, GraphStorage storage, Bytes mark, std::size_t checkpoint_every,
                         double checkpoint_ratio, Retention retention)
    : graph_(graph),
      storage_(std::move(storage)),
      mark_(std::move(mark)),
      checkpoint_every_(checkpoint_every),
      checkpoint_ratio_(checkpoint_ratio),
      retention_(retention) {}

std::string StoredPlace::frame_key_of(std::uint64_t seq) const {
  return sequence_key(storage_.log_prefix, seq);
}

std::string StoredPlace::history_key_of(std::uint64_t seq) const {
  return sequence_key(history_prefix(graph_), seq);
}

void StoredPlace::look() {
  const StoredGraph stored(graph_, storage_);
  const auto head_of = [&](const Bytes& bytes) {
    const auto head = checkpoint_head(bytes);
    if (!head) {
      throw RestoreError({.reason = RestoreReason::checkpoint_damaged,
                          .where = stored.where(),
                          .problem = "the checkpoint does not tell its number"});
    }
    return *head;
  };
  std::optional<CheckpointHead> current;
  const auto checkpoint = stored.checkpoint();
  if (checkpoint) current = head_of(*checkpoint);
  const auto last = read_last(stored);
  std::vector<CheckpointHead> kept;
  for (const auto seq : stored.history_sequences()) {
    if (const auto bytes = stored.history(seq)) kept.push_back({seq, head_of(*bytes).timestamp_ns});
  }
  const auto frames = stored.frame_sequences();
  std::uint64_t newest_t_ns = current ? current->timestamp_ns : 0;
  if (const auto bytes = frames.empty() ? std::nullopt : stored.frame(frames.back())) {
    const FrameCheck check = verify_frame(as_text(*bytes));
    if (check.sound()) newest_t_ns = std::max(newest_t_ns, check.frame.frame_t_ns);
  }
  newest_t_ns_ = newest_t_ns;
  writer_ = stored.writer();
  fingerprint_ = stored.fingerprint();
  checkpoint_digest_ = digest_of(checkpoint);
  current_ = current;
  last_ = last;
  kept_ = std::move(kept);
  frames_.assign(frames.begin(), frames.end());
}

/// Before a checkpoint that stands for everything: it may stand only for what this attachment knows of.
void StoredPlace::look_again() {
  StoredPlace now = *this;
  now.look();
  const bool is_ours = storage_.log ? now.writer_ == mark_
                                    : now.checkpoint_digest_ == checkpoint_digest_ ||
                                          now.checkpoint_digest_ == attempted_checkpoint_digest_;
  if (!is_ours && now.fingerprint_ != fingerprint_) taken_over(graph_);
  *this = std::move(now);
}

/// While another's mark is there, or none, the batch puts this attachment's: if all is as it was seen.
void StoredPlace::guard_log(WriteBatch& batch) const {
  require(batch, writer_key(graph_), writer_);
  if (writer_ == mark_) return;
  require(batch, last_key(graph_), last_ ? std::optional(encode_last(*last_)) : std::nullopt);
  batch.put(writer_key(graph_), mark_);
}

void StoredPlace::guard_checkpoint(WriteBatch& batch) const {
  const auto stored = storage_.checkpoints->read(storage_.checkpoint_key);
  if (digest_of(stored) != checkpoint_digest_) taken_over(graph_);
  require(batch, storage_.checkpoint_key, stored);
}

std::uint64_t StoredPlace::highest() const {
  std::uint64_t highest = current_ ? current_->seq : 0;
  if (!kept_.empty()) highest = std::max(highest, kept_.back().seq);
  if (!frames_.empty()) highest = std::max(highest, frames_.back());
  return last_ ? std::max(highest, last_->frame_seq) : highest;
}

bool StoredPlace::checkpoint_due(std::uint64_t number) {
  if (!storage_.log || number == 1) return true;
  due_ = due_ || number / checkpoint_every_ != (number - 1) / checkpoint_every_;
  return due_ && frame_bytes_ >= checkpoint_ratio_ * checkpoint_bytes_;
}

/// The new checkpoint, the old one into the history, and what goes with that.
void StoredPlace::stage_checkpoint(FlushContent& content, Batches& batches) {
  const bool replaces = content.kind == FlushContent::Kind::replace;
  const bool keeps = replaces || retention_.keeps_older();
  if (keeps && current_ && current_->seq != content.seq) {
    // What is stored, not what is remembered: that is what a reader finds.
    const auto old = storage_.checkpoints->read(storage_.checkpoint_key);
    const auto head = old ? checkpoint_head(*old) : std::nullopt;
    if (!head) {
      throw RestoreError({.reason = RestoreReason::checkpoint_damaged,
                          .seq = current_->seq,
                          .where = storage_.checkpoints->name(),
                          .problem = "the stored checkpoint is gone, or unreadable, under this attachment"});
    }
    const auto at = std::lower_bound(kept_.begin(), kept_.end(), head->seq,
                                     [](const CheckpointHead& kept, std::uint64_t seq) { return kept.seq < seq; });
    if (at == kept_.end() || at->seq != head->seq) kept_.insert(at, *head);
    if (replaces) pinned_ = head->seq;
    batches.checkpoints.put(history_key_of(head->seq), *old);
  }
  batches.checkpoints.put(storage_.checkpoint_key, std::move(content.checkpoint));
}

/// Drops the checkpoints that the retention does not keep; returns the number of the oldest that is kept.
std::uint64_t StoredPlace::prune(const FlushContent& content, Batches& batches) {
  std::size_t keep = std::min(kept_.size(), retention_.count() - 1);
  if (const auto age = retention_.age()) {
    const auto age_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(age->count(), 0));
    const std::uint64_t horizon = content.t_ns > age_ns ? content.t_ns - age_ns : 0;
    // The state at the horizon starts from the newest checkpoint that is not younger.
    std::uint64_t follower_t_ns = content.t_ns;
    keep = 0;
    while (keep < kept_.size() && follower_t_ns > horizon) follower_t_ns = kept_[kept_.size() - ++keep].timestamp_ns;
  }
  const auto dropped_end = kept_.end() - static_cast<std::ptrdiff_t>(keep);
  const std::uint64_t floor = dropped_end == kept_.end() ? content.seq : dropped_end->seq;
  std::erase_if(kept_, [&](const CheckpointHead& head) {
    if (head.seq >= floor || head.seq == pinned_) return false;
    // The batch that prunes may be the one that has just put it there.
    batches.prune_checkpoints.erase(history_key_of(head.seq));
    return true;
  });
  return content.kind == FlushContent::Kind::replace ? 0 : floor;
}

void StoredPlace::write(FlushContent content, Checkpointing checkpointing) try {
  if (checkpointing == Checkpointing::no) return write_frames(std::move(content));
  if (content.kind != FlushContent::Kind::changes) look_again();
  if (!storage_.log) attempted_checkpoint_digest_ = sha256(content.checkpoint);
  // On a copy: until it is written, nothing has happened here.
  StoredPlace after = *this;
  after.write_checkpoint(std::move(content));
  *this = std::move(after);
} catch (const ConflictError& conflict) {
  const std::string& key = conflict.facts().key;
  if (key == writer_key(graph_) || key == last_key(graph_) || key == storage_.checkpoint_key) taken_over(graph_);
  throw;
}

void StoredPlace::write_frames(FlushContent content) {
  WriteBatch batch;
  guard_log(batch);
  double bytes_written = 0;
  batch.reserve(content.frames.size() + 1);
  for (auto& [seq, bytes] : content.frames) {
    bytes_written += static_cast<double>(bytes.size());
    batch.put(frame_key_of(seq), std::move(bytes));
  }
  const LastRecord last{.frame_seq = content.seq, .chain = content.chain};
  batch.put(last_key(graph_), encode_last(last));
  storage_.log->consume(std::move(batch));
  for (const auto& frame : content.frames) frames_.push_back(frame.first);
  last_ = last;
  frame_bytes_ += bytes_written;
}

void StoredPlace::write_checkpoint(FlushContent content) {
  Batches batches;
  if (storage_.log) guard_log(batches.log);
  if (is_divided()) {
    if (writer_ != mark_) take_log_over(batches.log);
    batches.prune_log = batches.log;
  }
  if (storage_.log != storage_.checkpoints) {
    guard_checkpoint(batches.checkpoints);
    checkpoint_digest_ = sha256(content.checkpoint);
  }
  checkpoint_bytes_ = static_cast<double>(content.checkpoint.size());
  stage_checkpoint(content, batches);
  const std::uint64_t floor = prune(content, batches);
  current_ = CheckpointHead{.seq = content.seq, .timestamp_ns = content.t_ns};
  frame_bytes_ = 0;
  due_ = false;
  if (storage_.log) {
    for (auto& [seq, bytes] : content.frames) {
      if (storage_.log == storage_.checkpoints && seq <= floor) continue;  // pruned in the same batch
      batches.log.put(frame_key_of(seq), std::move(bytes));
      frames_.push_back(seq);
    }
    last_ = LastRecord{.frame_seq = content.seq, .chain = content.chain};
    batches.log.put(last_key(graph_), encode_last(*last_));
    for (; !frames_.empty() && frames_.front() <= floor; frames_.pop_front()) {
      batches.prune_log.erase(frame_key_of(frames_.front()));
    }
    writer_ = mark_;
  }
  apply(std::move(batches), content.kind);
}

/// Two backends are two batches: who is to write neither is told at the log, before the first.
void StoredPlace::take_log_over(WriteBatch& guards) {
  storage_.log->consume(std::exchange(guards, {}));
  storage_.log->flush();
  writer_ = mark_;
  guard_log(guards);
}

/// One batch where there is one backend. On two, a crash in between must leave what restores: frames are there before
/// the checkpoint that follows them; a checkpoint that covers lost frames before the record that says they count.
void StoredPlace::apply(Batches batches, FlushContent::Kind kind) const {
  if (!is_divided()) {
    WriteBatch& all = batches.log;
    all.append(std::move(batches.checkpoints)).append(std::move(batches.prune_log));
    all.append(std::move(batches.prune_checkpoints));
    storage_.checkpoints->consume(std::move(all));
    return;
  }
  const auto apply_durably = [](StorageBackend& backend, WriteBatch batch) {
    backend.consume(std::move(batch));
    backend.flush();
  };
  if (kind == FlushContent::Kind::changes) {
    apply_durably(*storage_.log, std::move(batches.log));
    apply_durably(*storage_.checkpoints, std::move(batches.checkpoints));
  } else {
    apply_durably(*storage_.checkpoints, std::move(batches.checkpoints));
    apply_durably(*storage_.log, std::move(batches.log));
  }
  if (!batches.prune_log.writes().empty()) storage_.log->consume(std::move(batches.prune_log));
  if (!batches.prune_checkpoints.empty()) storage_.checkpoints->consume(std::move(batches.prune_checkpoints));
}

}  // namespace holdfast::detail
