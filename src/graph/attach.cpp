#include "holdfast/graph/attach.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>

#include "core/printable.hpp"
#include "graph/change_text.hpp"
#include "graph/stored_place.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/graph/restore.hpp"
#include "holdfast/wal/frame.hpp"

namespace holdfast {
namespace {

using detail::FlushContent;

constexpr std::size_t default_checkpoint_every = 10;
constexpr std::uint64_t microsecond_ns = 1000;

/// A path is stored when the filter takes it and every subgraph above it.
bool is_stored(const AttachOptions& options, std::string_view path) {
  if (!options.filter) return true;
  for (; !path.empty(); path = split_path(path).owner) {
    if (!options.filter(path)) return false;
  }
  return true;
}

std::uint64_t number_after(std::uint64_t seq, std::string_view graph) {
  constexpr std::uint64_t greatest = std::numeric_limits<std::uint64_t>::max();
  if (seq == greatest) {
    throw LimitError({.limit = "frame_seq",
                      .maximum = greatest,
                      .actual = greatest,
                      .unit = "frames",
                      .where = "graph " + printable(graph)});
  }
  return seq + 1;
}

void drop_filtered(const AttachOptions& options, std::string_view at, GraphSnapshot& graph) {
  const auto drop = [&](const auto& item) { return !options.filter(join_path(at, item.first)); };
  std::erase_if(graph.nodes, drop);
  std::erase_if(graph.subgraphs, drop);
  for (auto& [name, subgraph] : graph.subgraphs) drop_filtered(options, join_path(at, name), subgraph);
}

}  // namespace

/// Two locks: that of flushing is held for a whole flush; that of pending changes for moments, also while the graph
/// holds its own. Order: flushing, the graph's, pending.
struct Attachment::Core {
  Core(detail::GraphPort given_graph, AttachOptions given_options)
      : graph(std::move(given_graph)), options(std::move(given_options)) {}

  const detail::GraphPort graph;
  const AttachOptions options;
  bool debounce = false;

  mutable std::mutex flush_mutex;
  // Guarded by flush_mutex.
  std::vector<detail::StoredPlace> places;
  FlushContent::Kind next_kind = FlushContent::Kind::cover;
  std::uint64_t seq = 0;
  std::optional<std::uint64_t> attempted_seq;  // numbers up to here are taken, whether or not their flush succeeded
  std::uint64_t t_ns = 0;
  std::uint64_t flush_count = 0;
  Digest chain{};

  mutable std::mutex pending_mutex;
  // Guarded by pending_mutex.
  GraphCommit pending;
  bool missed_changes = false;  // a commit could not be recorded: a checkpoint answers for it
  bool disposed = false;
  std::size_t flushes_under_way = 0;
  std::condition_variable none_under_way;
  CommitHub::Subscription subscription;

  /// Throws nothing: the commit has happened, and others are to hear of it. What a filter throws comes again in the
  /// flush, which asks it about everything.
  void record(const GraphCommit& commit) noexcept {
    try {
      merge_into_pending(commit);
    } catch (...) {
      const std::lock_guard lock(pending_mutex);
      missed_changes = true;
    }
  }

  void merge_into_pending(const GraphCommit& commit) {
    GraphCommit stored;
    const GraphCommit* news = &commit;
    if (options.filter) {
      stored = commit;
      const auto drop = [&](const auto& item) { return !is_stored(options, item.first); };
      std::erase_if(stored.nodes, drop);
      std::erase_if(stored.mounts, drop);
      news = &stored;
    }
    const std::lock_guard lock(pending_mutex);
    if (!disposed) pending.merge(*news);
  }

  void settle() {
    if (debounce) return;
    if (!options.on_error) return flush();
    std::exception_ptr error;
    try {
      flush();
    } catch (...) {
      error = std::current_exception();
    }
    if (error) options.on_error(error);
  }

  void flush() {
    const UnderWay under_way(*this);
    if (!under_way.admitted) return;
    // Within a batch this throws, before it could wait for a flush that waits for the batch.
    graph.pause();
    const std::lock_guard flushing(flush_mutex);
    flush_locked();
  }

  /// A flush, from before it touches the graph, which may go when dispose() has returned.
  struct UnderWay {
    explicit UnderWay(Core& given_core) : core(given_core) {
      const std::lock_guard lock(core.pending_mutex);
      admitted = !core.disposed;
      if (admitted) ++core.flushes_under_way;
    }
    ~UnderWay() {
      if (!admitted) return;
      const std::lock_guard lock(core.pending_mutex);
      if (--core.flushes_under_way == 0) core.none_under_way.notify_all();
    }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

    Core& core;
    bool admitted = false;
  };

  void flush_locked();
  void write(const GraphDiff& diff, std::vector<bool> due, std::optional<GraphSnapshot> state);
  void build_frames(const GraphDiff& diff, FlushContent& content) const;
  void place_graph(const std::vector<GraphStorage>& storages);
  void judge_existing(const std::vector<GraphStorage>& storages);
  [[nodiscard]] bool is_ours() const;
  [[nodiscard]] std::uint64_t stamp() const;
};

/// Whole microseconds, which doubles of other readers keep, and later than any before: time orders flushes too.
std::uint64_t Attachment::Core::stamp() const {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(options.clock->now().time_since_epoch());
  const auto now_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(now.count(), 0)) * microsecond_ns;
  return std::max(now_ns, (t_ns / microsecond_ns + 1) * microsecond_ns);
}

void Attachment::Core::flush_locked() {
  {
    const std::lock_guard lock(pending_mutex);
    if (missed_changes && next_kind == FlushContent::Kind::changes) next_kind = FlushContent::Kind::cover;
  }
  const bool covers = next_kind != FlushContent::Kind::changes;
  std::vector<bool> due;
  for (auto& place : places) due.push_back(place.checkpoint_due(flush_count + 1) || covers);
  const bool full = std::find(due.begin(), due.end(), true) != due.end();

  GraphCommit taken;
  bool answers_for_missed = false;
  std::optional<GraphSnapshot> state;
  {
    // The state of a checkpoint is exactly that of the changes taken.
    const auto paused = full ? graph.pause() : nullptr;
    {
      const std::lock_guard lock(pending_mutex);
      if (disposed || (pending.empty() && !covers)) return;
      taken = std::move(pending);
      pending = {};
      if (covers) answers_for_missed = std::exchange(missed_changes, false);
    }
    if (full) state = graph.snapshot();
  }
  try {
    const GraphDiff diff = taken.diff();
    if (diff.empty() && !covers) return;
    write(diff, std::move(due), std::move(state));
  } catch (...) {
    // Whatever reached the storage, a checkpoint above all numbers used answers for it next time.
    if (next_kind == FlushContent::Kind::changes) next_kind = FlushContent::Kind::cover;
    const std::lock_guard lock(pending_mutex);
    missed_changes = missed_changes || answers_for_missed;
    taken.merge(pending);
    pending = std::move(taken);
    throw;
  }
}

void Attachment::Core::build_frames(const GraphDiff& diff, FlushContent& content) const {
  const bool wanted = std::any_of(places.begin(), places.end(), [](const auto& place) { return place.storage().log; });
  detail::for_each_change(diff, [&](const detail::ChangeText& change) {
    content.seq = number_after(content.seq, graph.name);
    if (!wanted) return;
    Bytes bytes;
    content.chain = append_frame({.lifecycle = change.lifecycle,
                                  .path = change.path,
                                  .structure = change.structure,
                                  .payload = change.payload,
                                  .t_ns = content.t_ns,
                                  .frame_seq = content.seq},
                                 content.chain, bytes)
                        .chain;
    content.frames.emplace_back(content.seq, std::move(bytes));
  });
}

void Attachment::Core::write(const GraphDiff& diff, std::vector<bool> due, std::optional<GraphSnapshot> state) {
  FlushContent content{.kind = next_kind, .seq = seq, .t_ns = stamp(), .chain = chain};
  if (next_kind == FlushContent::Kind::changes) {
    build_frames(diff, content);
  } else if (attempted_seq) {
    content.seq = number_after(*attempted_seq, graph.name);
  }
  attempted_seq = content.seq;
  if (state) {
    if (options.filter) drop_filtered(options, {}, *state);
    CheckpointCodec::encode(
        {.seq = content.seq, .timestamp_ns = content.t_ns, .snapshot = std::move(*state), .chain = content.chain},
        content.checkpoint);
  }
  const FlushContent reached{.seq = content.seq, .t_ns = content.t_ns, .chain = content.chain};
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto checkpointing = due[i] ? detail::Checkpointing::yes : detail::Checkpointing::no;
    const bool is_last = i + 1 == places.size();
    places[i].write(is_last ? std::move(content) : FlushContent(content), checkpointing);
  }
  next_kind = FlushContent::Kind::changes;
  attempted_seq.reset();
  seq = reached.seq;
  t_ns = reached.t_ns;
  chain = reached.chain;
  ++flush_count;
}

bool Attachment::Core::is_ours() const {
  return std::all_of(places.begin(), places.end(), [this](const detail::StoredPlace& place) {
    return place.empty() || graph.hub->has_origin(place.fingerprint());
  });
}

void Attachment::Core::judge_existing(const std::vector<GraphStorage>& storages) {
  if (is_ours()) return;
  if (options.existing == Existing::restore) {
    (void)detail::restore(graph, storages, {});
    for (auto& place : places) place.look();
    if (is_ours()) return;
  }
  if (options.existing == Existing::replace) {
    next_kind = FlushContent::Kind::replace;
    return;
  }
  throw StateError({.state = State::in_use,
                    .where = "graph " + printable(graph.name),
                    .problem = "attaching where a state of that name is stored that this graph was not restored from"});
}

void Attachment::Core::place_graph(const std::vector<GraphStorage>& storages) {
  std::array<std::byte, 16> mark{};
  options.entropy->fill(mark);
  for (const auto& storage : storages) {
    debounce = debounce || storage.debounce;
    const std::size_t every =
        options.checkpoint_every.value_or(storage.compact_every.value_or(default_checkpoint_every));
    places.emplace_back(graph.name, storage, to_bytes("{\"attachment\":\"" + to_hex(mark) + "\"}"), every,
                        options.checkpoint_ratio, options.retention);
    places.back().look();
  }
  judge_existing(storages);
  std::uint64_t chain_seq = 0;
  for (const auto& place : places) {
    seq = std::max(seq, place.highest());
    if (const auto last = place.last(); last && last->frame_seq >= chain_seq) {
      chain_seq = last->frame_seq;
      chain = last->chain;
    }
    t_ns = std::max(t_ns, place.newest_t_ns());
  }
  // A state that stays in the history keeps its number: that of another graph, and one that this graph may have left
  // since it was restored.
  const bool stays = next_kind == FlushContent::Kind::replace || options.retention.keeps_older();
  const auto is_empty = [](const detail::StoredPlace& place) { return place.empty(); };
  if (stays && !std::all_of(places.begin(), places.end(), is_empty)) attempted_seq = seq;
}

Attachment::Attachment(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}
Attachment::Attachment(Attachment&&) noexcept = default;
Attachment& Attachment::operator=(Attachment&& other) noexcept {
  if (this != &other) {
    if (core_) dispose();
    core_ = std::move(other.core_);
  }
  return *this;
}
Attachment::~Attachment() {
  if (core_) dispose();
}

void Attachment::flush_all() {
  core_->flush();
}

void Attachment::flush_with(Flusher& flusher) const {
  flusher.add([weak = std::weak_ptr(core_)] {
    const auto core = weak.lock();
    if (!core) return false;
    core->flush();
    return true;
  });
}

void Attachment::dispose() noexcept {
  CommitHub::Subscription ended;
  {
    const std::lock_guard lock(core_->pending_mutex);
    core_->disposed = true;
    core_->pending = {};
    ended = std::move(core_->subscription);
  }
  try {
    core_->graph.pause();
  } catch (const std::exception&) {
    return;  // within a batch, for which a flush may wait
  }
  std::unique_lock lock(core_->pending_mutex);
  core_->none_under_way.wait(lock, [this] { return core_->flushes_under_way == 0; });
}

bool Attachment::has_pending() const {
  const std::lock_guard lock(core_->pending_mutex);
  return !core_->pending.empty() || core_->missed_changes;
}

std::uint64_t Attachment::last_sequence() const {
  const std::lock_guard lock(core_->flush_mutex);
  return core_->seq;
}

Attachment detail::attach(GraphPort graph, std::vector<GraphStorage> storages, AttachOptions options) {
  if (storages.empty()) throw OptionError({.option = "storages", .problem = "at least one is needed"});
  if (options.checkpoint_every == 0U) throw OptionError({.option = "checkpoint_every", .problem = "must be above 0"});
  if (!(options.checkpoint_ratio >= 0)) {
    throw OptionError({.option = "checkpoint_ratio", .problem = "must be 0 or above"});
  }
  if (options.retention.count() == 0) {
    throw OptionError({.option = "retention", .problem = "at least the latest checkpoint is kept"});
  }
  if (!options.clock) throw OptionError({.option = "clock", .problem = "must not be null"});
  if (!options.entropy) throw OptionError({.option = "entropy", .problem = "must not be null"});
  for (std::size_t i = 0; i < storages.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool same = storages[i].checkpoints == storages[j].checkpoints &&
                        storages[i].checkpoint_key == storages[j].checkpoint_key;
      if (same || (storages[i].log && storages[i].log == storages[j].log)) {
        throw OptionError({.option = "storages", .problem = "two of them are one place"});
      }
    }
  }
  auto core = std::make_shared<Attachment::Core>(std::move(graph), std::move(options));
  const auto& port = core->graph;
  core->place_graph(storages);
  {
    // From the subscription on no change is missed; what came before is in the first checkpoint.
    const auto paused = port.pause();
    core->subscription = port.hub->subscribe({.record =
                                                  [weak = std::weak_ptr(core)](const GraphCommit& commit) {
                                                    if (const auto living = weak.lock()) living->record(commit);
                                                  },
                                              .settle =
                                                  [weak = std::weak_ptr(core)] {
                                                    if (const auto living = weak.lock()) living->settle();
                                                  }});
  }
  Attachment attachment(std::move(core));
  attachment.flush_all();
  return attachment;
}

}  // namespace holdfast
