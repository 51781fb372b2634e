#include "db/expiry.hpp"

#include <algorithm>
#include <string>

#include "db/catalogue.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast::detail {
namespace {

constexpr auto longest_ms = static_cast<UnixMs>(std::chrono::milliseconds::max().count());

/// Steps over what is due.
class LiveCursor final : public OrderedCursor {
 public:
  LiveCursor(std::unique_ptr<OrderedCursor> rows, UnixMs now, Lent lent) noexcept
      : rows_(std::move(rows)), now_(now), lent_(lent) {}

  std::optional<Item> seek(ByteView key) override { return settle(rows_->seek(key), &OrderedCursor::next); }
  std::optional<Item> seek_before(std::optional<ByteView> bound) override {
    return settle(rows_->seek_before(bound), &OrderedCursor::previous);
  }
  std::optional<Item> next() override { return settle(rows_->next(), &OrderedCursor::next); }
  std::optional<Item> previous() override { return settle(rows_->previous(), &OrderedCursor::previous); }

  std::size_t move_on(Order order, std::span<Item> lent) override {
    for (;;) {
      const std::size_t moved = rows_->move_on(order, lent);
      std::size_t alive = 0;
      for (const Item& row : lent.first(moved))
        if (const auto value = live_value(row.value, now_, lent_)) lent[alive++] = {.key = row.key, .value = *value};
      if (alive > 0 || moved == 0) return alive;
    }
  }

 private:
  std::optional<Item> settle(std::optional<Item> row, std::optional<Item> (OrderedCursor::*onward)()) {
    for (; row; row = (rows_.get()->*onward)())
      if (const auto value = live_value(row->value, now_, lent_)) return Item{.key = row->key, .value = *value};
    return std::nullopt;
  }

  std::unique_ptr<OrderedCursor> rows_;
  UnixMs now_;
  Lent lent_;
};

/// The rows of one table in the index: calls `use` until it answers false.
void each_index_row(const OrderedView& index, std::uint64_t table_id,
                    FunctionRef<bool(UnixMs deadline, ByteView key)> use) {
  const auto prefix = big_endian(table_id);
  const auto cursor = index.cursor();
  for (auto row = cursor->seek(prefix); row; row = cursor->next()) {
    if (row->key.size() < prefix.size() || !equal(row->key.first(prefix.size()), prefix)) return;
    if (row->key.size() <= index_prefix_bytes)
      throw CorruptionError({.where = expiry_table_name,
                             .want = "a table's id, a deadline and a key",
                             .got = std::to_string(row->key.size()) + " bytes"});
    const auto deadline = from_big_endian<UnixMs>(row->key.subspan(prefix.size()));
    if (!use(deadline, row->key.subspan(index_prefix_bytes))) return;
  }
}

}  // namespace

UnixMs unix_ms(std::chrono::system_clock::time_point time) noexcept {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return since > 0 ? static_cast<UnixMs>(since) : 0;
}

UnixMs deadline_after(UnixMs now, TimeToLive ttl) noexcept {
  if (ttl.is_forever()) return never;
  const auto left = ttl.has_ended() ? UnixMs{0} : static_cast<UnixMs>(ttl.milliseconds().count());
  return now <= longest_ms - left ? now + left : never;
}

std::chrono::milliseconds time_left(UnixMs deadline, UnixMs now) noexcept {
  if (deadline <= now) return std::chrono::milliseconds::zero();
  return std::chrono::milliseconds(std::min(deadline - now, longest_ms));
}

Dated dated(ByteView stored) {
  if (stored.size() < deadline_bytes)
    throw CorruptionError({.where = "a value of an expiring table",
                           .want = std::to_string(deadline_bytes) + " bytes of deadline",
                           .got = std::to_string(stored.size())});
  return {.deadline = from_little_endian<UnixMs>(stored), .value = stored.subspan(deadline_bytes)};
}

Dated dated_entry(ByteView stored_key, ByteView stored) {
  if (stored_key.size() > limits::max_expiring_key_bytes)
    throw CorruptionError({.where = "a key of an expiring table",
                           .want = "at most " + std::to_string(limits::max_expiring_key_bytes) + " bytes",
                           .got = std::to_string(stored_key.size())});
  return dated(stored);
}

Bytes stored_value(UnixMs deadline, ByteView value) {
  Bytes stored;
  stored.reserve(deadline_bytes + value.size());
  append(stored, ByteView(little_endian(deadline)));
  append(stored, value);
  return stored;
}

Bytes dated_key(ByteView key, UnixMs deadline) {
  Bytes dated = to_bytes(key);
  append(dated, ByteView(little_endian(deadline)));
  return dated;
}

Dated open_dated(const Seal& seal, const Place& place, ByteView stored, Bytes& scratch) {
  const Dated sealed = dated(stored);
  const Bytes key = dated_key(place.key, sealed.deadline);
  return {.deadline = sealed.deadline,
          .value = seal.open({.store = place.store, .table = place.table, .key = key}, sealed.value, scratch)};
}

void require_indexable(ByteView key) {
  static_assert(limits::max_expiring_key_bytes + index_prefix_bytes == limits::max_key_bytes);
  if (key.size() > limits::max_expiring_key_bytes)
    throw LimitError({.limit = "max_expiring_key_bytes",
                      .maximum = limits::max_expiring_key_bytes,
                      .actual = key.size(),
                      .unit = "bytes",
                      .where = "a key of an expiring table"});
}

Bytes index_key(std::uint64_t table_id, UnixMs deadline, ByteView key) {
  Bytes row;
  row.reserve(index_prefix_bytes + key.size());
  append(row, ByteView(big_endian(table_id)));
  append(row, ByteView(big_endian(deadline)));
  append(row, key);
  return row;
}

void each_due(const OrderedView& index, std::uint64_t table_id, UnixMs now, FunctionRef<bool(ByteView key)> use) {
  each_index_row(index, table_id, [&](UnixMs deadline, ByteView key) { return deadline <= now && use(key); });
}

std::optional<ByteView> live_value(std::optional<ByteView> stored, UnixMs now, Lent lent) {
  if (!stored) return std::nullopt;
  const Dated entry = dated(*stored);
  if (entry.deadline <= now) return std::nullopt;
  return lent == Lent::row ? *stored : entry.value;
}

std::unique_ptr<OrderedCursor> live_cursor(std::unique_ptr<OrderedCursor> rows, UnixMs now, Lent lent) {
  return std::make_unique<LiveCursor>(std::move(rows), now, lent);
}

std::uint64_t live_count(std::uint64_t stored, const OrderedView& index, std::uint64_t table_id,
                         const WriteSet* written, UnixMs now) {
  std::uint64_t due = 0;
  each_due(index, table_id, now, [&](ByteView key) {
    // What the transaction has written is never due in it, and the row it replaces is counted no more.
    if (written == nullptr || !written->entries().contains(key)) ++due;
    return true;
  });
  if (due > stored)
    throw CorruptionError({.where = expiry_table_name,
                           .want = "at most " + std::to_string(stored) + " rows of table " + std::to_string(table_id),
                           .got = std::to_string(due) + " that are due"});
  return stored - due;
}

}  // namespace holdfast::detail
