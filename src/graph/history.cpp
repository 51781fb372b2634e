#include "holdfast/graph/history.hpp"

#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "graph/replay.hpp"
#include "graph/stored_graph.hpp"

namespace holdfast {
namespace {

std::chrono::system_clock::time_point time_of(std::uint64_t t_ns) {
  const auto since = std::chrono::nanoseconds(static_cast<std::int64_t>(t_ns));
  return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

GraphSnapshot state_at(const detail::StoredGraph& stored, std::uint64_t seq) {
  auto replayed = detail::replay(stored, {.target_seq = seq}, detail::ReplayUse::build);
  if (!replayed) {
    throw RestoreError(
        {.reason = RestoreReason::not_retained, .seq = seq, .where = stored.where(), .problem = "nothing is stored"});
  }
  return std::move(replayed->state);
}

/// The points that checkpoints and frames make, in the order of their numbers.
class Points {
 public:
  explicit Points(const detail::StoredGraph& stored) : stored_(stored), last_(detail::read_last(stored)) {}

  void add_checkpoint(ByteView bytes) {
    const CheckpointRecord record = detail::read_checkpoint(stored_, bytes);
    points_[record.seq] = {
        .seq = record.seq, .time = time_of(record.timestamp_ns), .kind = HistoryPoint::Kind::checkpoint};
  }

  void add_frames() {
    Scan scan = stored_.frames_after(points_.begin()->first);
    for (const Entry& entry : scan) {
      if (const auto seq = stored_.sequence_of(entry.key)) add_frame(*seq, as_text(entry.value));
    }
    if (torn_ && is_acknowledged(*torn_->seq) && first_checkpoint_from(*torn_->seq) == none) throw RestoreError(*torn_);
    close();
  }

  [[nodiscard]] std::vector<HistoryPoint> listed() const {
    std::vector<HistoryPoint> listed;
    for (const auto& [seq, point] : points_) listed.push_back(point);
    return listed;
  }

 private:
  void add_frame(std::uint64_t seq, std::string_view text) {
    // What was torn before a checkpoint is answered for.
    if (torn_ && first_checkpoint_from(*torn_->seq) < seq) torn_.reset();
    const FrameCheck check = verify_frame(text);
    if (!check.sound() || check.frame.frame_seq != seq) {
      if (torn_) return;
      torn_ = {.reason = RestoreReason::frame_damaged,
               .seq = seq,
               .where = stored_.where(),
               .problem = check.sound() ? "it is under another frame's key" : std::string(check.problem)};
      return;
    }
    if (torn_) {
      if (last_ && !is_acknowledged(seq) && check.frame.chain) return;
      throw RestoreError(*torn_);
    }
    const auto time = time_of(check.frame.frame_t_ns);
    if (open_ && open_->time != time) close();
    if (!open_) open_ = HistoryPoint{.time = time};
    open_->seq = seq;
    ++open_->frame_count;
  }

  void close() {
    if (!open_) return;
    const auto [at, is_new] = points_.try_emplace(open_->seq, *open_);
    if (!is_new) at->second.frame_count = open_->frame_count;
    open_.reset();
  }

  [[nodiscard]] bool is_acknowledged(std::uint64_t seq) const noexcept { return last_ && seq <= last_->frame_seq; }
  /// While a frame is suspected, points above it are checkpoints. `none` where there is none.
  [[nodiscard]] std::uint64_t first_checkpoint_from(std::uint64_t seq) const {
    const auto point = points_.lower_bound(seq);
    return point == points_.end() ? none : point->first;
  }

  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

  const detail::StoredGraph& stored_;
  std::optional<detail::LastRecord> last_;
  std::map<std::uint64_t, HistoryPoint> points_;
  std::optional<HistoryPoint> open_;         // the frames of one flush share its time
  std::optional<RestoreError::Facts> torn_;  // unless a frame follows that its writer has acknowledged
};

}  // namespace

std::vector<HistoryPoint> history(std::string_view graph, const GraphStorage& storage) {
  const detail::StoredGraph stored(graph, storage);
  Points points(stored);
  const auto checkpoint = stored.checkpoint();
  if (!checkpoint) {
    if (stored.empty()) return {};
    throw RestoreError({.reason = RestoreReason::checkpoint_missing,
                        .where = stored.where(),
                        .problem = "there is no checkpoint to start from"});
  }
  points.add_checkpoint(*checkpoint);
  for (const auto seq : stored.history_sequences()) {
    if (const auto bytes = stored.history(seq)) points.add_checkpoint(*bytes);
  }
  if (stored.has_log()) points.add_frames();
  return points.listed();
}

GraphDiff diff_between(std::string_view graph, const GraphStorage& storage, std::uint64_t from, std::uint64_t to) {
  const detail::StoredGraph stored(graph, storage);
  return diff_snapshots(state_at(stored, from), state_at(stored, to));
}

}  // namespace holdfast
