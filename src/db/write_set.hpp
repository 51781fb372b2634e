#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "db/ordered_view.hpp"
#include "holdfast/core/bytes.hpp"

namespace holdfast::detail {

/// What of an entry was written: all of it, or its deadline alone.
enum class Wrote : std::uint8_t { entry, deadline };

/// What a write transaction did to one key: it put a value, or, without one, erased it.
struct Write {
  std::optional<Bytes> value{};
  Wrote wrote = Wrote::entry;
};

/// What a write transaction has done to one table: the last write of each key, in key order. A value stays where it is
/// until its own key is written again.
class WriteSet {
 public:
  struct Less {
    using is_transparent = void;
    bool operator()(ByteView a, ByteView b) const noexcept { return compare(a, b) < 0; }
  };
  using Entries = std::map<Bytes, Write, Less>;

  void put(ByteView key, ByteView value, Wrote wrote = Wrote::entry);
  void erase(ByteView key);
  [[nodiscard]] const Entries& entries() const noexcept { return entries_; }
  /// Memory that it takes, about.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  [[nodiscard]] static std::uint64_t size_of(ByteView key, const Write& write) noexcept {
    return sizeof(Entries::value_type) + node_bytes + key.size() + (write.value ? write.value->size() : 0);
  }
  /// Null for a key that was not written.
  [[nodiscard]] const Write* find(ByteView key) const;

  /// Writes, and tells what was written to this key before.
  std::optional<Write> replace(ByteView key, Write write);
  /// Makes a key again what replace() told.
  void restore(ByteView key, std::optional<Write> before) noexcept;

 private:
  static constexpr std::uint64_t node_bytes = 64;  // links of the tree's node, headers of its allocations

  Entries entries_;
  std::uint64_t size_bytes_ = 0;
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

  /// After the base was replaced or changed, or keys were removed from the set: cursors find their place anew.
  void rebase(const OrderedView* base) noexcept {
    base_ = base;
    ++version_;
  }
  [[nodiscard]] const OrderedView* base() const noexcept { return base_; }
  [[nodiscard]] const WriteSet& set() const noexcept { return *set_; }
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

 private:
  const OrderedView* base_;
  const WriteSet* set_;
  std::uint64_t version_ = 0;
};

}  // namespace holdfast::detail
