#include "db/write_set.hpp"

#include <utility>

namespace holdfast::detail {
namespace {

/// Two positions, one in the base, which seldom changes, and one found anew in the set at every step.
class MergedCursor final : public OrderedCursor {
 public:
  explicit MergedCursor(const MergedView& view) : view_(&view) { open_base(); }

  std::optional<Item> seek(ByteView key) override {
    if (changed()) open_base();
    ascending_ = true;
    base_item_ = base_ ? base_->seek(key) : std::nullopt;
    return settle_ascending(set().lower_bound(key));
  }

  std::optional<Item> seek_before(std::optional<ByteView> bound) override {
    if (changed()) open_base();
    ascending_ = false;
    base_item_ = base_ ? base_->seek_before(bound) : std::nullopt;
    return settle_descending(bound ? set().lower_bound(*bound) : set().end());
  }

  std::optional<Item> next() override {
    if (!ascending_ || changed()) {
      if (changed()) open_base();
      ascending_ = true;
      base_item_ = base_ ? base_->seek(current_) : std::nullopt;
    }
    if (base_item_ && equal(base_item_->key, current_)) base_item_ = base_->next();
    return settle_ascending(set().upper_bound(current_));
  }

  std::optional<Item> previous() override {
    if (ascending_ || changed()) {
      if (changed()) open_base();
      ascending_ = false;
      base_item_ = base_ ? base_->seek_before(current_) : std::nullopt;
    } else if (base_item_ && equal(base_item_->key, current_)) {
      base_item_ = base_->previous();
    }
    return settle_descending(set().lower_bound(current_));
  }

 private:
  using Position = WriteSet::Entries::const_iterator;

  [[nodiscard]] const WriteSet::Entries& set() const noexcept { return view_->set().entries(); }
  [[nodiscard]] bool changed() const noexcept { return version_ != view_->version(); }

  void open_base() {
    base_ = view_->base() != nullptr ? view_->base()->cursor() : nullptr;
    version_ = view_->version();
  }

  /// The smaller of the base's entry and the set's from `at` on; on one key the set's word counts.
  std::optional<Item> settle_ascending(Position at) {
    for (; at != set().end(); ++at) {
      const auto order = base_item_ ? compare(base_item_->key, at->first) : std::strong_ordering::greater;
      if (order < 0) break;
      if (at->second.value) return arrive({.key = at->first, .value = *at->second.value});
      if (order == 0) base_item_ = base_->next();
    }
    return base_item_ ? arrive(*base_item_) : std::nullopt;
  }

  /// The greater of the base's entry and the set's before `at`.
  std::optional<Item> settle_descending(Position at) {
    while (at != set().begin()) {
      --at;
      const auto order = base_item_ ? compare(base_item_->key, at->first) : std::strong_ordering::less;
      if (order > 0) break;
      if (at->second.value) return arrive({.key = at->first, .value = *at->second.value});
      if (order == 0) base_item_ = base_->previous();
    }
    return base_item_ ? arrive(*base_item_) : std::nullopt;
  }

  /// The position owns its key: what it stands on may be removed under it.
  std::optional<Item> arrive(Item item) {
    current_.assign(item.key.begin(), item.key.end());
    return item;
  }

  const MergedView* view_;
  std::uint64_t version_ = 0;
  std::unique_ptr<OrderedCursor> base_;
  std::optional<Item> base_item_;  ///< the base's entry at the current key or the next in the direction of travel
  Bytes current_;
  bool ascending_ = true;
};

}  // namespace

void WriteSet::put(ByteView key, ByteView value, Wrote wrote) {
  const auto found = entries_.lower_bound(key);
  if (found == entries_.end() || !equal(found->first, key)) {
    const auto added = entries_.emplace_hint(found, to_bytes(key), Write{to_bytes(value), wrote});
    size_bytes_ += size_of(key, added->second);
    return;
  }
  size_bytes_ -= size_of(key, found->second);
  found->second.wrote = wrote;
  if (found->second.value) {
    found->second.value->assign(value.begin(), value.end());
  } else {
    found->second.value.emplace(value.begin(), value.end());
  }
  size_bytes_ += size_of(key, found->second);
}

void WriteSet::erase(ByteView key) {
  static_cast<void>(replace(key, {}));
}

const Write* WriteSet::find(ByteView key) const {
  const auto found = entries_.find(key);
  return found != entries_.end() ? &found->second : nullptr;
}

std::optional<Write> WriteSet::replace(ByteView key, Write write) {
  const auto found = entries_.lower_bound(key);
  const std::uint64_t added_bytes = size_of(key, write);
  if (found == entries_.end() || !equal(found->first, key)) {
    entries_.emplace_hint(found, to_bytes(key), std::move(write));
    size_bytes_ += added_bytes;
    return std::nullopt;
  }
  size_bytes_ += added_bytes - size_of(key, found->second);
  return std::exchange(found->second, std::move(write));
}

void WriteSet::restore(ByteView key, std::optional<Write> before) noexcept {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  size_bytes_ -= size_of(key, found->second);
  if (!before) {
    entries_.erase(found);
    return;
  }
  found->second = std::move(*before);
  size_bytes_ += size_of(key, found->second);
}

std::optional<ByteView> MergedView::get(ByteView key) const {
  if (const Write* const written = set_->find(key)) {
    if (!written->value) return std::nullopt;
    return ByteView(*written->value);
  }
  return base_ != nullptr ? base_->get(key) : std::nullopt;
}

std::uint64_t MergedView::count() const {
  std::uint64_t count = base_ != nullptr ? base_->count() : 0;
  for (const auto& [key, write] : set_->entries()) {
    const bool before = base_ != nullptr && base_->get(key).has_value();
    if (write.value && !before) ++count;
    if (!write.value && before) --count;
  }
  return count;
}

std::unique_ptr<OrderedCursor> MergedView::cursor() const {
  return std::make_unique<MergedCursor>(*this);
}

}  // namespace holdfast::detail
