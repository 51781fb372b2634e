#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "holdfast/core/bytes.hpp"
#include "holdfast/db/table_range.hpp"

/// The one seam between raw LMDB and everything above it: an ordered map of bytes that can be read. Implemented by an
/// LMDB database in a transaction, a write set, and their merge; a commit log's overlay has its place here too.
namespace holdfast::detail {

/// Borrowed: as long as the view says. Keys are in their stored form.
using Item = LentEntry;

/// A position in an OrderedView. Every move answers with the entry it arrived at, or nullopt when there is none in that
/// direction; from there only the seeks go on.
class OrderedCursor {
 public:
  virtual ~OrderedCursor() = default;
  /// The first entry whose key is `key` or greater.
  virtual std::optional<Item> seek(ByteView key) = 0;
  /// The last entry whose key is less than `bound`; the last of all without one.
  virtual std::optional<Item> seek_before(std::optional<ByteView> bound) = 0;
  virtual std::optional<Item> next() = 0;
  virtual std::optional<Item> previous() = 0;

  /// Moves on as long as what it lends stays good together and there is room; how many entries it has lent, 0 at the
  /// end.
  virtual std::size_t move_on(Order order, std::span<Item> lent) {
    const auto item = order == Order::ascending ? next() : previous();
    if (item) lent.front() = *item;
    return item ? 1 : 0;
  }
};

class OrderedView {
 public:
  virtual ~OrderedView() = default;
  [[nodiscard]] virtual std::optional<ByteView> get(ByteView key) const = 0;
  [[nodiscard]] virtual std::uint64_t count() const = 0;
  /// It must not outlive the view.
  [[nodiscard]] virtual std::unique_ptr<OrderedCursor> cursor() const = 0;
};

}  // namespace holdfast::detail
