#include "graph/stored_graph.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "core/printable.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/wal/frame.hpp"
#include "wal/json_members.hpp"

namespace holdfast {

GraphStorage::GraphStorage(const CheckpointTier& checkpoint_tier)
    : checkpoints(checkpoint_tier.backend()),
      checkpoint_key(checkpoint_tier.name()),
      debounce(checkpoint_tier.cadence().debounce),
      compact_every(checkpoint_tier.cadence().compact_every) {}

GraphStorage::GraphStorage(const CheckpointTier& checkpoint_tier, const WalTier& wal_tier)
    : GraphStorage(checkpoint_tier) {
  log = wal_tier.backend();
  log_prefix = wal_tier.name();
  debounce = debounce || wal_tier.cadence().debounce;
}

GraphStorage::GraphStorage(std::shared_ptr<StorageBackend> backend, std::string_view graph)
    : checkpoints(backend), checkpoint_key(graph), log(std::move(backend)), log_prefix(wal_prefix(graph)) {
  if (!log) throw OptionError({.option = "backend", .problem = "must not be null"});
}

namespace detail {
namespace {

/// The numbers that keys spell after `prefix`, 20 digits each.
std::vector<std::uint64_t> sequences_under(const BackendReader& reader, const std::string& prefix) {
  std::vector<std::uint64_t> sequences;
  Scan scan = reader.keys(prefix);
  for (const Entry& entry : scan) {
    if (const auto seq = parse_sequence_digits(std::string_view(entry.key).substr(prefix.size()))) {
      sequences.push_back(*seq);
    }
  }
  return sequences;
}

}  // namespace

std::string last_key(std::string_view graph) {
  return std::string(graph) + "/last";
}

std::string history_prefix(std::string_view graph) {
  return std::string(graph) + "/history/";
}

std::string writer_key(std::string_view graph) {
  return std::string(graph) + "/writer";
}

Bytes encode_last(const LastRecord& last) {
  return to_bytes("{\"chain\":\"" + to_hex(last.chain) + "\",\"frame_seq\":" + std::to_string(last.frame_seq) + "}");
}

std::optional<LastRecord> decode_last(ByteView bytes) {
  JsonMembers members(as_text(bytes));
  LastRecord last;
  if (members.next() != JsonMembers::Step::member || members.name != "chain" || members.value.size() < 2) {
    return std::nullopt;
  }
  const auto chain = from_hex(members.value.substr(1, members.value.size() - 2));
  if (!chain || chain->size() != last.chain.size()) return std::nullopt;
  std::copy(chain->begin(), chain->end(), last.chain.begin());
  if (members.next() != JsonMembers::Step::member || members.name != "frame_seq") return std::nullopt;
  const auto seq = unsigned_in(members.value);
  if (!seq) return std::nullopt;
  last.frame_seq = *seq;
  if (!equal(encode_last(last), bytes)) return std::nullopt;
  return last;
}

std::optional<LastRecord> read_last(const StoredGraph& stored) {
  const auto bytes = stored.last();
  if (!bytes) return std::nullopt;
  const auto last = decode_last(*bytes);
  if (!last) {
    throw RestoreError({.reason = RestoreReason::last_damaged,
                        .where = stored.where(),
                        .problem = "the record of the last frame is unreadable"});
  }
  return last;
}

std::optional<CheckpointHead> checkpoint_head(ByteView bytes) {
  std::optional<std::uint64_t> seq;
  std::optional<std::uint64_t> timestamp_ns;
  JsonMembers members(as_text(bytes));
  auto step = members.next();
  for (; step == JsonMembers::Step::member; step = members.next()) {
    if (members.name == "seq") seq = unsigned_in(members.value);
    if (members.name == "timestamp_ns") timestamp_ns = unsigned_in(members.value);
  }
  if (step == JsonMembers::Step::malformed || !seq || !timestamp_ns) return std::nullopt;
  return CheckpointHead{.seq = *seq, .timestamp_ns = *timestamp_ns};
}

void check_storage(std::string_view graph, const GraphStorage& storage) {
  if (storage.log && storage.log_prefix != wal_prefix(graph)) {
    throw OptionError({.option = "prefix of the WAL tier",
                       .problem = "must be " + printable(wal_prefix(graph)) + " for the graph " + printable(graph) +
                                  ", is " + printable(storage.log_prefix)});
  }
}

StoredGraph::StoredGraph(std::string_view graph, const GraphStorage& storage)
    : graph_(graph), checkpoint_key_(storage.checkpoint_key), log_prefix_(storage.log_prefix) {
  check_storage(graph, storage);
  where_ = "graph " + printable(graph) + " in " + storage.checkpoints->name();
  if (storage.log) {
    log_ = storage.log->snapshot();
    if (storage.log != storage.checkpoints) where_ += " and " + storage.log->name();
  }
  checkpoint_place_ = storage.checkpoints.get();
  can_list_ = storage.checkpoints->capabilities().listing;
  checkpoints_ = storage.log == storage.checkpoints
                     ? log_
                     : std::shared_ptr<const BackendSnapshot>(storage.checkpoints->snapshot());
}

std::optional<Bytes> StoredGraph::checkpoint() const {
  return checkpoints_->read(checkpoint_key_);
}

bool StoredGraph::view_checkpoint(FunctionRef<void(ByteView)> use) const {
  return checkpoints_->view(checkpoint_key_, use);
}

std::optional<Bytes> StoredGraph::history(std::uint64_t seq) const {
  return checkpoints_->read(sequence_key(history_prefix(graph_), seq));
}

std::vector<std::uint64_t> StoredGraph::history_sequences() const {
  if (!can_list_) return {};
  return sequences_under(*checkpoints_, history_prefix(graph_));
}

std::optional<Bytes> StoredGraph::last() const {
  return log_ ? log_->read(last_key(graph_)) : std::nullopt;
}

std::optional<Bytes> StoredGraph::writer() const {
  return log_ ? log_->read(writer_key(graph_)) : std::nullopt;
}

std::vector<std::uint64_t> StoredGraph::frame_sequences() const {
  return log_ ? sequences_under(*log_, log_prefix_) : std::vector<std::uint64_t>();
}

std::optional<Bytes> StoredGraph::frame(std::uint64_t seq) const {
  return log_ ? log_->read(sequence_key(log_prefix_, seq)) : std::nullopt;
}

std::optional<std::uint64_t> StoredGraph::highest_frame() const {
  if (!log_) return std::nullopt;
  Scan scan = log_->scan({.prefix = log_prefix_, .reverse = true, .values = false});
  for (const Entry& entry : scan) {
    if (const auto seq = sequence_of(entry.key)) return seq;
  }
  return std::nullopt;
}

Scan StoredGraph::frames_after(std::optional<std::uint64_t> seq) const {
  ScanOptions options{.prefix = log_prefix_};
  if (seq) options.after = sequence_key(log_prefix_, *seq);
  return log_->scan(options);
}

std::optional<std::uint64_t> StoredGraph::sequence_of(std::string_view frame_key) const noexcept {
  return parse_sequence_digits(frame_key.substr(log_prefix_.size()));
}

bool StoredGraph::empty() const {
  return !checkpoint() && !last() && !highest_frame() && history_sequences().empty();
}

Digest StoredGraph::fingerprint() const {
  Sha256 hash;
  const auto add = [&hash](const std::optional<Bytes>& bytes) {
    if (!bytes) return;
    hash.update(as_bytes(std::to_string(bytes->size()) + ":")).update(*bytes);
  };
  hash.update(as_bytes(graph_)).update(std::as_bytes(std::span(&checkpoint_place_, 1)));
  add(checkpoint());
  add(last());
  if (const auto seq = highest_frame()) hash.update(as_bytes(sequence_digits(*seq)));
  return hash.finish();
}

}  // namespace detail
}  // namespace holdfast
