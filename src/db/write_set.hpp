#pragma once

#include <map>
#include <optional>

#include "db/ordered_view.hpp"
#include "holdfast/core/bytes.hpp"

namespace holdfast::detail {

/// What a write transaction has done to one table: the last put or erase of each key, in key order. Nothing is removed
/// before the end, so positions in it stay good while it is written, and a value stays where it is until its own key is
/// written again.
class WriteSet {
 public:
  struct Less {
    using is_transparent = void;
    bool operator()(ByteView a, ByteView b) const noexcept { return compare(a, b) < 0; }
  };
  /// A value, or nullopt: erased.
  using Entries = std::map<Bytes, std::optional<Bytes>, Less>;

  void put(ByteView key, ByteView value) { slot(key) = to_bytes(value); }
  void erase(ByteView key) { slot(key) = std::nullopt; }
  [[nodiscard]] const Entries& entries() const noexcept { return entries_; }

 private:
  std::optional<Bytes>& slot(ByteView key) {
    const auto found = entries_.find(key);
    return found != entries_.end() ? found->second : entries_[to_bytes(key)];
  }

  Entries entries_;
};

/// A write set over what it was begun from: `base` with the set's puts and without what the set erased. The set may
/// grow while cursors stand on the view: they see each key once, as it is when they pass it.
class MergedView final : public OrderedView {
 public:
  /// `base` may be null: an empty one. Both must outlive the view.
  MergedView(const OrderedView* base, const WriteSet& set) noexcept : base_(base), set_(&set) {}

  [[nodiscard]] std::optional<ByteView> get(ByteView key) const override;
  /// O(log n) for each key in the set.
  [[nodiscard]] std::uint64_t count() const override;
  [[nodiscard]] std::unique_ptr<OrderedCursor> cursor() const override;

 private:
  const OrderedView* base_;
  const WriteSet* set_;
};

}  // namespace holdfast::detail
