#include "db/feed.hpp"

#include <algorithm>
#include <string>

#include "db/catalogue.hpp"
#include "db/stored_key.hpp"
#include "db/table_index.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr auto key_mark = std::byte{1};  // keys that begin with NUL are no keys of LMDB here
constexpr std::size_t key_bytes = 1 + 8;
constexpr std::size_t kind_at = 3 * 8;
constexpr std::size_t stored_key_at = kind_at + 1;
constexpr auto latest_ms = static_cast<UnixMs>(std::chrono::milliseconds::max().count());
constexpr int pruned_per_change = 2;  // so that the feed shrinks where less is to be kept than before

[[noreturn]] void throw_damage(std::string want, std::string got) {
  throw CorruptionError({.where = feed_table_name, .want = std::move(want), .got = std::move(got)});
}

void require_form(const FeedRow& row) {
  const auto kind = static_cast<unsigned>(row.kind);
  if (row.kind < ChangeKind::put || row.kind > ChangeKind::clear)
    throw_damage("a kind of change from 1 to 6", std::to_string(kind));
  if (row.commit == 0 || row.commit > row.sequence)
    throw_damage("a commit begun at 1 to " + std::to_string(row.sequence), std::to_string(row.commit));
  if (row.table_id == 0) throw_damage("the id of a table", "0");
  if (row.time > latest_ms) throw_damage("a time", std::to_string(row.time) + " ms");
  if (row.kind == ChangeKind::clear) {
    if (!row.stored_key.empty()) throw_damage("no key in a clear", std::to_string(row.stored_key.size()) + " bytes");
    return;
  }
  if (row.stored_key.size() > limits::max_key_bytes)
    throw_damage("a key", std::to_string(row.stored_key.size()) + " bytes");
  static_cast<void>(lent_key(row.stored_key));
}

}  // namespace

Bytes feed_key(std::uint64_t sequence) {
  Bytes key{key_mark};
  append(key, ByteView(big_endian(sequence)));
  return key;
}

std::uint64_t feed_sequence(ByteView key) {
  if (key.size() != key_bytes || key.front() != key_mark)
    throw_damage("a change's number",
                 std::to_string(key.size()) + " bytes " + to_hex(key.first(std::min(key.size(), key_bytes))));
  const auto sequence = from_big_endian<std::uint64_t>(key.subspan(1));
  if (sequence == 0 || sequence > last_sequence) throw_damage("a change's number", std::to_string(sequence));
  return sequence;
}

Bytes feed_value(const FeedRow& row) {
  Bytes value;
  value.reserve(stored_key_at + row.stored_key.size());
  for (const std::uint64_t number : {row.commit, row.time, row.table_id})
    append(value, ByteView(little_endian(number)));
  value.push_back(static_cast<std::byte>(row.kind));
  append(value, row.stored_key);
  return value;
}

FeedRow feed_row(ByteView key, ByteView value) {
  FeedRow row{.sequence = feed_sequence(key)};
  if (value.size() < stored_key_at)
    throw_damage("at least " + std::to_string(stored_key_at) + " bytes", std::to_string(value.size()));
  row.commit = from_little_endian<std::uint64_t>(value);
  row.time = from_little_endian<std::uint64_t>(value.subspan(8));
  row.table_id = from_little_endian<std::uint64_t>(value.subspan(16));
  row.kind = static_cast<ChangeKind>(value[kind_at]);
  row.stored_key = value.subspan(stored_key_at);
  require_form(row);
  return row;
}

void require_follows(const FeedRow& row, std::uint64_t sequence_before, std::uint64_t commit_before) {
  if (row.sequence != sequence_before + 1)
    throw_damage("change " + std::to_string(sequence_before + 1), "change " + std::to_string(row.sequence));
  if (row.commit != row.sequence && commit_before != 0 && row.commit != commit_before)
    throw_damage("a change of commit " + std::to_string(commit_before) + " or the first of its own",
                 "one of commit " + std::to_string(row.commit));
}

FeedExtent feed_extent(OrderedCursor* rows, std::uint64_t begun_after) {
  FeedExtent extent{.first = begun_after + 1, .last = begun_after};
  if (rows == nullptr) return extent;
  const auto first = rows->seek({});
  if (!first) return extent;
  extent.first = feed_sequence(first->key);
  extent.last = feed_sequence(rows->seek_before(std::nullopt).value().key);
  if (extent.first <= begun_after)
    throw_damage("changes after " + std::to_string(begun_after), "change " + std::to_string(extent.first));
  return extent;
}

void FeedLog::append(std::uint64_t table_id, ChangeKind kind, ByteView stored_key) {
  if (next_ == 0) begin();
  if (commit_ == 0) commit_ = next_;
  const FeedRow row{.sequence = next_,
                    .commit = commit_,
                    .time = std::min(now_, latest_ms),
                    .table_id = table_id,
                    .kind = kind,
                    .stored_key = stored_key};
  txn_->put(tree_.handle, feed_key(next_), feed_value(row));
  ++next_;
  prune();
}

void FeedLog::begin() {
  const auto rows = LmdbView(lent(*txn_), tree_.handle).cursor();
  const FeedExtent extent = feed_extent(rows.get(), tree_.begun_after);
  first_ = extent.first;
  next_ = extent.last + 1;
  if (next_ > last_sequence) throw_damage("a number that another can follow", std::to_string(extent.last));
}

void FeedLog::prune() {
  for (int pruned = 0; pruned < pruned_per_change && first_ < commit_ && lets_go(); ++pruned)
    txn_->erase(tree_.handle, feed_key(first_++));
}

bool FeedLog::lets_go() const {
  if (next_ - first_ > retention_.max_changes) return true;
  if (retention_.max_age == std::chrono::milliseconds::max()) return false;
  const Bytes key = feed_key(first_);
  const auto value = txn_->get(tree_.handle, key);
  if (!value) throw_damage("change " + std::to_string(first_), "none");
  const UnixMs time = feed_row(key, *value).time;
  return now_ >= time && now_ - time >= static_cast<UnixMs>(retention_.max_age.count());
}

void TakeChange::operator()(const LentEntry& row, FeedChange& change) const {
  const FeedRow found = feed_row(row.key, row.value);
  require_follows(found, change.sequence != 0 ? change.sequence : after, change.commit);
  if (change.table_id != found.table_id) {
    const auto& known = tables->tables();
    const auto table =
        std::ranges::find_if(known, [&](const IndexedTable& each) { return each.record->id == found.table_id; });
    change.table = table != known.end() ? *table->name : std::string();
  }
  change.sequence = found.sequence;
  change.commit = found.commit;
  change.time = decltype(change.time)(std::chrono::milliseconds(found.time));
  change.table_id = found.table_id;
  change.kind = found.kind;
  const ByteView key = found.stored_key.empty() ? ByteView() : lent_key(found.stored_key);
  change.key.assign(key.begin(), key.end());
}

}  // namespace holdfast::detail
