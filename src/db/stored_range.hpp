#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "db/ordered_view.hpp"
#include "db/stored_key.hpp"
#include "holdfast/core/key_range.hpp"
#include "holdfast/db/table.hpp"

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

  /// Writes the next key over `key` and lends the value until the cursor moves; nullopt at the end, again and again.
  /// An error is thrown again by every further step.
  template <class Key>
  std::optional<ByteView> next(Key& key) {
    if (error_) std::rethrow_exception(error_);
    try {
      const auto item = step();
      if (!item) return std::nullopt;
      decode_key(item->key, key);
      return item->value;
    } catch (...) {
      error_ = std::current_exception();
      throw;
    }
  }

 private:
  static Bytes stored(std::string_view key) { return to_bytes(StoredKey(as_bytes(key)).view()); }

  std::optional<Item> step() {
    if (!cursor_) return std::nullopt;
    const auto item = std::exchange(begun_, true) ? move() : begin();
    if (item && contains(item->key)) return item;
    cursor_.reset();
    return std::nullopt;
  }

  [[nodiscard]] bool contains(ByteView key) const {
    return order_ == Order::ascending ? !last_ || compare(key, *last_) < 0 : compare(key, first_) >= 0;
  }

  std::optional<Item> begin() {
    if (order_ == Order::ascending) return cursor_->seek(first_);
    return cursor_->seek_before(last_ ? std::optional<ByteView>(*last_) : std::nullopt);
  }
  std::optional<Item> move() { return order_ == Order::ascending ? cursor_->next() : cursor_->previous(); }

  std::unique_ptr<OrderedCursor> cursor_;
  Bytes first_;
  std::optional<Bytes> last_;
  Order order_;
  bool begun_ = false;
  std::exception_ptr error_;
};

}  // namespace holdfast::detail
