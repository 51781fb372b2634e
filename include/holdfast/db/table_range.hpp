#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <ranges>
#include <utility>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/input_iterator.hpp"

namespace holdfast {

/// One key with its value.
struct ByteEntry {
  Bytes key{};
  Bytes value{};
  bool operator==(const ByteEntry&) const = default;
};

/// One key with its value, both lent: who lends them says how long.
struct LentEntry {
  ByteView key{};
  ByteView value{};
};

enum class Order { ascending, descending };

namespace detail {

class RangeReader;

/// Lends the entries of a range one after the other. Those that can be lent together are read together, which makes
/// most steps free of calls.
class HOLDFAST_API RangeSource {
 public:
  explicit RangeSource(std::unique_ptr<RangeReader> reader) noexcept;
  ~RangeSource();
  RangeSource(RangeSource&&) noexcept;
  RangeSource& operator=(RangeSource&&) noexcept;

  /// Good until the next call; null at the end, again and again. An error is thrown again by every further call.
  const LentEntry* next() {
    const bool alive = !*ended_ && forks_->load(std::memory_order_relaxed) == forks_before_;
    return next_ != last_ && alive ? next_++ : refill();
  }
  /// In a handler: what was thrown over the latest entry, every further call throws.
  void fail() noexcept;

 private:
  const LentEntry* refill();

  const LentEntry* next_ = nullptr;
  const LentEntry* last_ = nullptr;
  const bool* ended_ = nullptr;  ///< of the transaction, which the reader keeps
  const std::atomic<std::uint64_t>* forks_ = nullptr;
  std::uint64_t forks_before_ = 0;  ///< what is lent stays with the process that borrowed it
  std::unique_ptr<RangeReader> reader_;
};

}  // namespace detail

/// A lazy, single-pass input range over a transaction, its own writes included: entries written or erased ahead of the
/// iterator while it runs are seen as they are then, none is skipped or repeated. `*it` is one entry whose memory is
/// used again: valid until `++it`. An error is thrown again by every further step: it is never the end.
/// `Take{}(const LentEntry&, Entry&)` writes what is lent over the entry.
/// Threads: as its transaction, which must outlive it.
template <class Entry, class Take>
class TableRange : public std::ranges::view_base {
 public:
  using value_type = Entry;
  using Iterator = InputIterator<TableRange>;

  explicit TableRange(detail::RangeSource source, Take take = {})
      : source_(std::move(source)), take_(std::move(take)) {}

  /// Reads the first entry. Once per range, which stays where it is from then on.
  [[nodiscard]] Iterator begin() {
    advance();
    return Iterator(this);
  }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  friend Iterator;
  [[nodiscard]] const Entry* current() const noexcept { return at_end_ ? nullptr : &entry_; }
  void advance() {
    const LentEntry* const lent = source_.next();
    at_end_ = lent == nullptr;
    if (at_end_) return;
    try {
      take_(*lent, entry_);
    } catch (...) {
      source_.fail();
      throw;
    }
  }

  detail::RangeSource source_;
  Entry entry_{};
  bool at_end_ = false;
  [[no_unique_address]] Take take_;
};

namespace detail {

struct TakeCopy {
  void operator()(const LentEntry& lent, ByteEntry& entry) const {
    entry.key.assign(lent.key.begin(), lent.key.end());
    entry.value.assign(lent.value.begin(), lent.value.end());
  }
};

struct TakeLent {
  void operator()(const LentEntry& lent, LentEntry& entry) const noexcept { entry = lent; }
};

}  // namespace detail

/// Entries copied out.
using ByteRange = TableRange<ByteEntry, detail::TakeCopy>;

/// Entries lent: nothing is copied. What an entry shows is valid until `++it`.
using LentRange = TableRange<LentEntry, detail::TakeLent>;

}  // namespace holdfast
