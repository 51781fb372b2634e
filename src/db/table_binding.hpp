#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "db/table_index.hpp"
#include "holdfast/db/table_options.hpp"

namespace holdfast::detail {

enum class Use { reading, writing };

/// What a ByteTable or Table names: a table of one store, and what it must be like. Shared by its copies.
/// Threads: all methods may be called at once.
class TableBinding {
 public:
  /// Without `codecs`: the raw form, which reads tables of all codecs and writes those of bytes.
  TableBinding(std::string name, std::uint64_t environment, std::optional<TableCodecs> codecs, TableOptions options)
      : name_(std::move(name)), environment_(environment), codecs_(std::move(codecs)), options_(std::move(options)) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t environment() const noexcept { return environment_; }
  /// Whether entries expire in a table that this makes.
  [[nodiscard]] bool makes_expiring() const noexcept { return options_.expiry == Expiry::per_entry; }
  /// Whether a table that this makes has a feed.
  [[nodiscard]] bool makes_fed() const noexcept { return options_.feed == Feed::on; }
  [[nodiscard]] const Seal* seal() const noexcept { return options_.seal.get(); }
  /// Appends to `out` what the seal makes of `value`.
  void seal_value(const Place& place, ByteView value, Bytes& out) const { seal()->seal(place, value, out); }
  /// What was sealed, lent from `stored` or from `scratch`; `flags` are of the table's record.
  /// Errors: CorruptionError naming table and key.
  [[nodiscard]] ByteView open_value(const Place& place, std::uint64_t flags, ByteView stored, Bytes& scratch) const;

  /// Null when there is no such table. Errors: StateError{mismatched} when it was made otherwise.
  /// Cost: a load and a comparison while the tables of the store stay the same.
  [[nodiscard]] const IndexedTable* find(const TableIndex& index, Use use) const {
    const std::uint64_t known = known_[static_cast<std::size_t>(use)].load(std::memory_order_relaxed);
    if (known >> place_bits == index.serial()) [[likely]] {
      const std::uint64_t place = known & place_mask;
      return place == 0 ? nullptr : &index.tables()[place - 1];
    }
    return look_up(index, use);
  }

  /// Errors: StateError{mismatched} naming what `record` says and what was asked for.
  void require_match(const TableRecord& record, Use use) const;
  [[nodiscard]] bool matches(const TableRecord& record) const;
  /// The same of another name and expiry.
  [[nodiscard]] std::shared_ptr<const TableBinding> renamed(std::string name, Expiry expiry, Feed feed) const {
    TableOptions options = options_;
    options.expiry = expiry;
    options.feed = feed;
    return std::make_shared<const TableBinding>(std::move(name), environment_, codecs_, std::move(options));
  }
  /// Of a table that this makes.
  [[nodiscard]] TableRecord record(std::uint64_t id, std::uint64_t tree) const;

 private:
  static constexpr unsigned place_bits = 16;
  static constexpr std::uint64_t place_mask = (1U << place_bits) - 1;

  const IndexedTable* look_up(const TableIndex& index, Use use) const;

  std::string name_;
  std::uint64_t environment_;
  std::optional<TableCodecs> codecs_;
  TableOptions options_;
  /// By use: the serial of the index last used, and the table's place in it, from 1; 0 for none.
  mutable std::array<std::atomic<std::uint64_t>, 2> known_{};
};

}  // namespace holdfast::detail
