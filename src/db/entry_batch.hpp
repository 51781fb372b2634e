#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "holdfast/db/table_range.hpp"

namespace holdfast::detail {

/// Entries copied out of whatever lent them, so that they can be written while that is gone or changes.
class EntryBatch {
 public:
  void add(ByteView key, ByteView value) {
    rows_.push_back({.offset = bytes_.size(), .key_size = key.size(), .value_size = value.size()});
    append(bytes_, key);
    append(bytes_, value);
  }
  void clear() noexcept {
    bytes_.clear();
    rows_.clear();
  }

  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return bytes_.size() + rows_.size() * sizeof(Row); }
  /// Lent until the batch changes.
  [[nodiscard]] LentEntry operator[](std::size_t index) const noexcept {
    const Row& row = rows_[index];
    const ByteView both = ByteView(bytes_).subspan(row.offset, row.key_size + row.value_size);
    return {.key = both.first(row.key_size), .value = both.subspan(row.key_size)};
  }

 private:
  struct Row {
    std::size_t offset;
    std::size_t key_size;
    std::size_t value_size;
  };

  Bytes bytes_;
  std::vector<Row> rows_;
};

}  // namespace holdfast::detail
