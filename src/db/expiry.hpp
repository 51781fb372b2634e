#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "db/ordered_view.hpp"
#include "db/write_set.hpp"
#include "holdfast/core/clock.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/db/time_to_live.hpp"
#include "holdfast/seal/seal.hpp"

/// Tables whose entries may expire: a stored value begins with its deadline, and an index orders those that have one by
/// time. An entry is due from its deadline on; what is due reads as absent until it is purged. Bytes: FORMAT.md.
namespace holdfast::detail {

/// Milliseconds since 1970, as stored.
using UnixMs = std::uint64_t;

inline constexpr UnixMs never = ~UnixMs{0};
inline constexpr std::size_t deadline_bytes = 8;
/// What an index row's key has before the entry's: table id and deadline.
inline constexpr std::size_t index_prefix_bytes = 16;

/// The moment a transaction judges by. Times before 1970 count as 1970.
[[nodiscard]] UnixMs unix_ms(std::chrono::system_clock::time_point time) noexcept;
[[nodiscard]] UnixMs deadline_after(UnixMs now, TimeToLive ttl) noexcept;
/// What is left at `now`; milliseconds::max() for ever.
[[nodiscard]] std::chrono::milliseconds time_left(UnixMs deadline, UnixMs now) noexcept;

/// A stored value of an expiring table, taken apart.
struct Dated {
  UnixMs deadline = never;
  ByteView value{};
};

/// Errors: CorruptionError when it is too short for a deadline.
[[nodiscard]] Dated dated(ByteView stored);
/// An entry of unknown bytes. Errors: CorruptionError also for a key that no such table can have.
[[nodiscard]] Dated dated_entry(ByteView stored_key, ByteView stored);
[[nodiscard]] Bytes stored_value(UnixMs deadline, ByteView value);

/// The key that a seal is bound to, with the deadline behind it: one that was changed does not open.
[[nodiscard]] Bytes dated_key(ByteView key, UnixMs deadline);
/// A sealed row, for `place` of the key alone. Errors: CorruptionError.
[[nodiscard]] Dated open_dated(const Seal& seal, const Place& place, ByteView stored, Bytes& scratch);

/// Errors: LimitError when the index cannot hold the key.
void require_indexable(ByteView key);

/// The key of the index row for `key`, which expires at `deadline`.
[[nodiscard]] Bytes index_key(std::uint64_t table_id, UnixMs deadline, ByteView key);

/// Calls `use` with the key of each entry of the table that is due at `now`, earliest deadline first, until it answers
/// false. Cost: what is due.
void each_due(const OrderedView& index, std::uint64_t table_id, UnixMs now, FunctionRef<bool(ByteView key)> use);

/// What is lent of a row that is not due.
enum class Lent { value, row };

/// The value of a row as a transaction that judges at `now` sees it.
[[nodiscard]] std::optional<ByteView> live_value(std::optional<ByteView> stored, UnixMs now, Lent lent = Lent::value);

/// The entries of an expiring table as such a transaction sees them, from a cursor on its rows.
[[nodiscard]] std::unique_ptr<OrderedCursor> live_cursor(std::unique_ptr<OrderedCursor> rows, UnixMs now,
                                                         Lent lent = Lent::value);

/// How many there are among `stored` rows. `written` (null: nothing) is what the transaction has written over the rows
/// that `index` knows. Cost: O(log n) for each that is due.
[[nodiscard]] std::uint64_t live_count(std::uint64_t stored, const OrderedView& index, std::uint64_t table_id,
                                       const WriteSet* written, UnixMs now);

}  // namespace holdfast::detail
