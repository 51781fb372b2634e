// Reading a log back. A bad frame, or one that is not there, is damage when it was acknowledged: when it is not above
// `last`, or when a sound one follows it that its writer acknowledged without keeping a `last`. What is left at the end
// is torn.
#include "graph/replay.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

namespace holdfast::detail {
namespace {

constexpr std::size_t most_reported = 16;

std::uint64_t nanoseconds_of(std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  return since < 0 ? 0 : static_cast<std::uint64_t>(since);
}

class Replay {
 public:
  Replay(const StoredGraph& stored, const RestoreOptions& options, ReplayUse use)
      : stored_(stored), options_(options), use_(use) {
    if (options.target_time) target_t_ns_ = nanoseconds_of(*options.target_time);
    if (options.target_seq) target_seq_ = *options.target_seq;
  }

  std::optional<Replayed> run() {
    CheckpointRecord latest;
    if (!stored_.view_checkpoint([&](ByteView bytes) { latest = read_checkpoint(stored_, bytes); })) {
      if (stored_.empty()) return std::nullopt;
      fail({.reason = RestoreReason::checkpoint_missing, .problem = "there is no checkpoint to start from"});
    }
    last_ = read_last(stored_);
    start_from(base_checkpoint(std::move(latest)));
    if (stored_.has_log()) read_frames();
    RestoreResult& result = out_.result;
    result.final_seq = applied_seq_;
    result.chain = linked_ && unlinked_ == 0 ? ChainVerdict::verified : ChainVerdict::absent;
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(RestoreError::Facts facts) const {
    facts.where = stored_.where();
    throw RestoreError(std::move(facts));
  }

  /// The newest checkpoint at or before the target.
  CheckpointRecord base_checkpoint(CheckpointRecord record) const {
    const auto is_before = [this](const CheckpointRecord& candidate) {
      return candidate.seq <= target_seq_ && candidate.timestamp_ns <= target_t_ns_;
    };
    if (is_before(record)) return record;
    auto sequences = stored_.history_sequences();
    std::reverse(sequences.begin(), sequences.end());
    for (const auto seq : sequences) {
      if (seq > target_seq_) continue;
      const auto bytes = stored_.history(seq);
      if (!bytes) continue;
      record = read_checkpoint(stored_, *bytes);
      if (record.seq != seq) {
        fail({.reason = RestoreReason::checkpoint_damaged,
              .seq = seq,
              .problem = "the checkpoint kept under this number says it is " + std::to_string(record.seq)});
      }
      if (is_before(record)) return record;
    }
    RestoreError::Facts facts{.reason = RestoreReason::not_retained,
                              .problem = "no checkpoint at or before that point is kept"};
    if (options_.target_seq) facts.seq = target_seq_;
    fail(std::move(facts));
  }

  void start_from(CheckpointRecord record) {
    out_.result.checkpoint_seq = position_ = applied_seq_ = record.seq;
    out_.result.final_t_ns = record.timestamp_ns;
    chain_ = record.chain;
    linked_ = chain_.has_value();
    if (last_ && last_->frame_seq == record.seq && chain_ && *chain_ != last_->chain) {
      fail({.reason = RestoreReason::last_damaged,
            .seq = record.seq,
            .problem = "the record of the last frame contradicts the checkpoint's chain"});
    }
    if (use_ == ReplayUse::build) out_.state = std::move(record.snapshot);
  }

  void read_frames() {
    Scan scan = stored_.frames_after(position_);
    for (const Entry& entry : scan) {
      const auto seq = stored_.sequence_of(entry.key);
      if (!seq) continue;
      if (*seq > target_seq_) {
        if (position_ < target_seq_)
          bad(position_ + 1, RestoreReason::frame_missing, "the frame is not there", target_seq_);
        position_ = target_seq_;
        // Whether what is suspected was acknowledged, a sound frame beyond the target tells.
        if (const FrameCheck check = verify_frame(as_text(entry.value));
            !suspects_.empty() && (!check.sound() || is_torn_off(check.frame))) {
          continue;
        }
        condemn_suspects();
        break;
      }
      if (*seq > position_ + 1) bad(position_ + 1, RestoreReason::frame_missing, "the frame is not there", *seq - 1);
      if (!take(*seq, as_text(entry.value))) return;
      position_ = *seq;
    }
    const std::uint64_t end = last_ ? std::min(last_->frame_seq, target_seq_) : 0;
    if (position_ < end) bad(position_ + 1, RestoreReason::frame_missing, "the frame is not there", end);
    for (auto& facts : suspects_) {
      ++out_.result.torn;
      if (out_.result.torn_frames.size() < most_reported) out_.result.torn_frames.push_back(std::move(facts));
    }
  }

  /// One stored frame; false when it is later than the target.
  bool take(std::uint64_t seq, std::string_view text) {
    const FrameCheck check = verify_frame(text);
    if (check.fault == FrameFault::newer_format) {
      fail({.reason = RestoreReason::newer_format, .seq = seq, .problem = "the frame was written by a later version"});
    }
    if (!check.sound()) return bad(seq, RestoreReason::frame_damaged, std::string(check.problem), seq);
    const FrameView& frame = check.frame;
    if (frame.frame_seq != seq) {
      return bad(seq, RestoreReason::frame_damaged,
                 "it is the frame " + std::to_string(frame.frame_seq) + ", under this number's key", seq);
    }
    if (is_torn_off(frame)) return bad(seq, RestoreReason::frame_damaged, "it follows a torn frame", seq);
    const auto change = view_change(frame.change);
    if (!change) return bad(seq, RestoreReason::frame_damaged, "its change is incomplete", seq);
    // No torn write makes a sound frame. After a suspect, what it follows is not known.
    if (suspects_.empty() && frame.chain && chain_ && *frame.chain != next_chain(*chain_, frame.checksum)) {
      bad(seq, RestoreReason::chain_broken, "it does not follow the frame before it", seq);
      condemn_suspects();
      return true;
    }
    condemn_suspects();
    if (last_ && last_->frame_seq == seq && frame.chain && *frame.chain != last_->chain) {
      fail({.reason = RestoreReason::last_damaged,
            .seq = seq,
            .problem = "the record of the last frame contradicts the chain in that frame"});
    }
    if (frame.frame_t_ns > target_t_ns_) return false;
    if (frame.chain && chain_) {
      linked_ = true;
    } else {
      ++unlinked_;
    }
    chain_ = frame.chain;
    return apply(seq, frame, *change);
  }

  /// A frame with a chain is of a writer that keeps `last`: above it, none was acknowledged. What follows a bad one
  /// there never became a state.
  [[nodiscard]] bool is_torn_off(const FrameView& frame) const noexcept {
    return last_ && frame.frame_seq > last_->frame_seq && frame.chain && !suspects_.empty() &&
           suspects_.front().reason == RestoreReason::frame_damaged;
  }

  bool apply(std::uint64_t seq, const FrameView& frame, const ChangeView& change) {
    RestoreResult& result = out_.result;
    const auto& wanted = options_.lifecycles;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), frame.lifecycle) == wanted.end()) {
      ++result.filtered;
    } else {
      try {
        GraphSnapshot nowhere;
        const Applied applied = apply_change(change, use_ == ReplayUse::build ? out_.state : nowhere);
        if (applied == Applied::unknown) {
          ++result.unknown;
        } else {
          ++result.replayed;
          ++result.replayed_by_lifecycle[static_cast<std::size_t>(frame.lifecycle)];
        }
      } catch (const CodecError&) {
        return bad(seq, RestoreReason::frame_damaged, "its payload is none of its kind", seq);
      }
    }
    applied_seq_ = seq;
    result.final_t_ns = frame.frame_t_ns;
    return true;
  }

  /// Something is wrong with the frames `first` to `end`. Always true: reading goes on.
  bool bad(std::uint64_t first, RestoreReason reason, std::string problem, std::uint64_t end) {
    suspects_.push_back({.reason = reason, .seq = first, .where = stored_.where(), .problem = std::move(problem)});
    suspect_count_ += end - first + 1;
    if (last_ && first <= last_->frame_seq) condemn_suspects();
    return true;
  }

  /// What is suspected was acknowledged once.
  void condemn_suspects() {
    if (suspects_.empty()) return;
    for (const auto& facts : suspects_) {
      if (!options_.on_damage || options_.on_damage(facts) == OnDamage::stop) fail(facts);
    }
    out_.result.skipped += suspect_count_;
    suspects_.clear();
    suspect_count_ = 0;
    // The next frame follows one that nobody has seen.
    chain_.reset();
  }

  const StoredGraph& stored_;
  const RestoreOptions& options_;
  ReplayUse use_;
  std::uint64_t target_seq_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t target_t_ns_ = std::numeric_limits<std::uint64_t>::max();

  Replayed out_;
  std::optional<LastRecord> last_;
  std::uint64_t position_ = 0;     // read up to here
  std::uint64_t applied_seq_ = 0;  // the state is that of here
  std::optional<Digest> chain_;    // of the frame before; nullopt where it had none
  bool linked_ = false;
  std::uint64_t unlinked_ = 0;
  std::vector<RestoreError::Facts> suspects_;
  std::uint64_t suspect_count_ = 0;
};

}  // namespace

CheckpointRecord read_checkpoint(const StoredGraph& stored, ByteView bytes) {
  const auto damaged = [&stored](const Error& error, RestoreReason reason) {
    std::throw_with_nested(RestoreError({.reason = reason, .where = stored.where(), .problem = error.what()}));
  };
  CheckpointRecord record;
  try {
    record = CheckpointCodec::decode(bytes);
  } catch (const StateError& error) {
    damaged(error, RestoreReason::newer_format);
  } catch (const CodecError& error) {
    damaged(error, RestoreReason::checkpoint_damaged);
  } catch (const CorruptionError& error) {
    damaged(error, RestoreReason::checkpoint_damaged);
  }
  if (record.snapshot.name != stored.graph()) {
    throw StateError(
        {.state = State::foreign, .where = stored.where(), .problem = "the checkpoint is that of another graph"});
  }
  return record;
}

std::optional<Replayed> replay(const StoredGraph& stored, const RestoreOptions& options, ReplayUse use) {
  return Replay(stored, options, use).run();
}

}  // namespace holdfast::detail
