#pragma once

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "db/ordered_view.hpp"
#include "db/stored_key.hpp"
#include "holdfast/core/key_range.hpp"

namespace holdfast::detail {

/// Steps through a range of keys with a cursor on their stored forms.
class StoredRange {
 public:
  /// `cursor` may be null: an empty table.
  StoredRange(std::unique_ptr<OrderedCursor> cursor, const KeyRange& range, Order order)
      : cursor_(std::move(cursor)), first_(stored(range.first)), order_(order) {
    if (range.last) last_ = stored(*range.last);
    if (range.empty()) cursor_.reset();
  }

  /// The next entries, with their keys as they were put: as many as the cursor lends together, good until the next
  /// call. None at the end, again and again. An error is thrown again by every further call.
  std::span<const Item> next_batch() {
    if (error_) std::rethrow_exception(error_);
    try {
      const std::span<Item> items = step();
      for (Item& item : items) item.key = lent_key(item.key);
      return items;
    } catch (...) {
      error_ = std::current_exception();
      throw;
    }
  }

 private:
  static Bytes stored(std::string_view key) { return to_bytes(StoredKey(as_bytes(key)).view()); }

  std::span<Item> step() {
    if (!cursor_) return {};
    std::span<Item> items;
    if (std::exchange(begun_, true)) {
      // A short range does not read ahead; a long one soon reads much at once.
      ahead_ = std::min(2 * ahead_, items_.size());
      items = std::span(items_).first(cursor_->move_on(order_, std::span(items_).first(ahead_)));
    } else if (const auto item = begin()) {
      items_.front() = *item;
      items = std::span(items_).first(1);
    }
    const bool all = !items.empty() && contains(items.back().key);
    if (!all) {
      items = items.first(static_cast<std::size_t>(
          std::partition_point(items.begin(), items.end(), [this](const Item& item) { return contains(item.key); }) -
          items.begin()));
      cursor_.reset();
    }
    return items;
  }

  [[nodiscard]] bool contains(ByteView key) const {
    return order_ == Order::ascending ? !last_ || compare(key, *last_) < 0 : compare(key, first_) >= 0;
  }

  std::optional<Item> begin() {
    if (order_ == Order::ascending) return cursor_->seek(first_);
    return cursor_->seek_before(last_ ? std::optional<ByteView>(*last_) : std::nullopt);
  }

  std::unique_ptr<OrderedCursor> cursor_;
  Bytes first_;
  std::optional<Bytes> last_;
  Order order_;
  bool begun_ = false;
  std::exception_ptr error_;
  std::size_t ahead_ = 2;
  std::array<Item, 64> items_;
};

}  // namespace holdfast::detail
