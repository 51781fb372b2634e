#include "holdfast/graph/history.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "graph/replay.hpp"
#include "graph/stored_graph.hpp"

namespace holdfast {
namespace {

std::chrono::system_clock::time_point time_of(std::uint64_t t_ns) {
  const auto since = std::chrono::nanoseconds(static_cast<std::int64_t>(t_ns));
  return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

std::optional<std::uint64_t> seq_of_last(const detail::StoredGraph& stored) {
  const auto bytes = stored.last();
  const auto last = bytes ? detail::decode_last(*bytes) : std::nullopt;
  if (!last) return std::nullopt;
  return last->frame_seq;
}

GraphSnapshot state_at(const detail::StoredGraph& stored, std::uint64_t seq) {
  auto replayed = detail::replay(stored, {.target_seq = seq}, detail::ReplayUse::build);
  if (!replayed) {
    throw RestoreError(
        {.reason = RestoreReason::not_retained, .seq = seq, .where = stored.where(), .problem = "nothing is stored"});
  }
  return std::move(replayed->state);
}

}  // namespace

std::vector<HistoryPoint> history(std::string_view graph, const GraphStorage& storage) {
  using Kind = HistoryPoint::Kind;
  const detail::StoredGraph stored(graph, storage);
  std::map<std::uint64_t, HistoryPoint> points;
  const auto add_checkpoint = [&](const std::optional<Bytes>& bytes) {
    if (!bytes) return;
    const CheckpointRecord record = detail::read_checkpoint(stored, *bytes);
    points[record.seq] = {.seq = record.seq, .time = time_of(record.timestamp_ns), .kind = Kind::checkpoint};
  };
  add_checkpoint(stored.checkpoint());
  for (const auto seq : stored.history_sequences()) add_checkpoint(stored.history(seq));
  if (points.empty() || !stored.has_log()) {
    std::vector<HistoryPoint> listed;
    for (const auto& [seq, point] : points) listed.push_back(point);
    return listed;
  }

  const auto last = seq_of_last(stored);
  std::optional<HistoryPoint> open;  // the frames of one flush share its time
  const auto close = [&] {
    if (!open) return;
    const auto [at, is_new] = points.try_emplace(open->seq, *open);
    if (!is_new) at->second.frame_count = open->frame_count;
    open.reset();
  };
  std::optional<RestoreError::Facts> torn;  // unless a frame follows that its writer has acknowledged
  Scan scan = stored.frames_after(points.begin()->first);
  for (const Entry& entry : scan) {
    const auto seq = stored.sequence_of(entry.key);
    if (!seq) continue;
    const FrameCheck check = verify_frame(as_text(entry.value));
    const bool above_last = last && *seq > *last;
    if (!check.sound() || check.frame.frame_seq != *seq) {
      RestoreError::Facts facts{
          .reason = RestoreReason::frame_damaged,
          .seq = *seq,
          .where = stored.where(),
          .problem = check.sound() ? "it is under another frame's key" : std::string(check.problem)};
      if (last && !above_last) throw RestoreError(std::move(facts));
      if (!torn) torn = std::move(facts);
      continue;
    }
    if (torn && above_last && check.frame.chain) continue;
    if (torn) throw RestoreError(std::move(*torn));
    const auto time = time_of(check.frame.frame_t_ns);
    if (open && open->time != time) close();
    if (!open) open = HistoryPoint{.time = time};
    open->seq = *seq;
    ++open->frame_count;
  }
  close();
  std::vector<HistoryPoint> listed;
  for (const auto& [seq, point] : points) listed.push_back(point);
  return listed;
}

GraphDiff diff_between(std::string_view graph, const GraphStorage& storage, std::uint64_t from, std::uint64_t to) {
  const detail::StoredGraph stored(graph, storage);
  return diff_snapshots(state_at(stored, from), state_at(stored, to));
}

}  // namespace holdfast
