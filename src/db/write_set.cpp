#include "db/write_set.hpp"

namespace holdfast::detail {
namespace {

/// Two positions, one in the base, which does not change, and one found anew in the set at every step, which may.
class MergedCursor final : public OrderedCursor {
 public:
  MergedCursor(std::unique_ptr<OrderedCursor> base, const WriteSet::Entries& set) noexcept
      : base_(std::move(base)), set_(&set) {}

  std::optional<Item> seek(ByteView key) override {
    ascending_ = true;
    base_item_ = base_ ? base_->seek(key) : std::nullopt;
    return settle_ascending(set_->lower_bound(key));
  }

  std::optional<Item> seek_before(std::optional<ByteView> bound) override {
    ascending_ = false;
    base_item_ = base_ ? base_->seek_before(bound) : std::nullopt;
    return settle_descending(bound ? set_->lower_bound(*bound) : set_->end());
  }

  std::optional<Item> next() override {
    if (!ascending_) {
      ascending_ = true;
      base_item_ = base_ ? base_->seek(current_) : std::nullopt;
    }
    if (base_item_ && equal(base_item_->key, current_)) base_item_ = base_->next();
    return settle_ascending(set_->upper_bound(current_));
  }

  std::optional<Item> previous() override {
    if (ascending_) {
      ascending_ = false;
      base_item_ = base_ ? base_->seek_before(current_) : std::nullopt;
    } else if (base_item_ && equal(base_item_->key, current_)) {
      base_item_ = base_->previous();
    }
    return settle_descending(set_->lower_bound(current_));
  }

 private:
  using Position = WriteSet::Entries::const_iterator;

  /// The smaller of the base's entry and the set's from `at` on; on one key the set's word counts.
  std::optional<Item> settle_ascending(Position at) {
    for (; at != set_->end(); ++at) {
      const auto order = base_item_ ? compare(base_item_->key, at->first) : std::strong_ordering::greater;
      if (order < 0) break;
      if (at->second) return arrive({.key = at->first, .value = *at->second});
      if (order == 0) base_item_ = base_->next();
    }
    return base_item_ ? arrive(*base_item_) : std::nullopt;
  }

  /// The greater of the base's entry and the set's before `at`.
  std::optional<Item> settle_descending(Position at) {
    while (at != set_->begin()) {
      --at;
      const auto order = base_item_ ? compare(base_item_->key, at->first) : std::strong_ordering::less;
      if (order > 0) break;
      if (at->second) return arrive({.key = at->first, .value = *at->second});
      if (order == 0) base_item_ = base_->previous();
    }
    return base_item_ ? arrive(*base_item_) : std::nullopt;
  }

  /// Keys in the base and in the set stay where they are, so the position can borrow its key.
  std::optional<Item> arrive(Item item) {
    current_ = item.key;
    return item;
  }

  std::unique_ptr<OrderedCursor> base_;
  const WriteSet::Entries* set_;
  std::optional<Item> base_item_;  ///< the base's entry at the current key or the next in the direction of travel
  ByteView current_;
  bool ascending_ = true;
};

}  // namespace

std::optional<ByteView> MergedView::get(ByteView key) const {
  const auto& entries = set_->entries();
  if (const auto found = entries.find(key); found != entries.end()) {
    if (!found->second) return std::nullopt;
    return ByteView(*found->second);
  }
  return base_ ? base_->get(key) : std::nullopt;
}

std::uint64_t MergedView::count() const {
  std::uint64_t count = base_ ? base_->count() : 0;
  for (const auto& [key, value] : set_->entries()) {
    const bool before = base_ && base_->get(key).has_value();
    if (value && !before) ++count;
    if (!value && before) --count;
  }
  return count;
}

std::unique_ptr<OrderedCursor> MergedView::cursor() const {
  return std::make_unique<MergedCursor>(base_ ? base_->cursor() : nullptr, set_->entries());
}

}  // namespace holdfast::detail
