#pragma once

#include "core/file_io.hpp"
#include "db/meta_pages.hpp"

namespace holdfast::detail {

inline constexpr std::size_t node_header_bytes = 8;
inline constexpr std::uint16_t big_value_flag = 0x01;  ///< the node holds the number of its first overflow page
inline constexpr std::uint16_t tree_flag = 0x02;       ///< the node holds a Tree: a named LMDB database

/// Pages that hold one value, side by side.
struct OverflowRun {
  std::uint64_t first_page = 0;
  std::uint64_t page_count = 0;
  std::uint64_t value_bytes = 0;
};

/// A page of a B-tree, read from the file. Nothing in it is believed: each call checks what it uses, and verify() all
/// of it. Errors: CorruptionError that names the page; IoError.
class TreePage {
 public:
  /// Errors: CorruptionError when it is not in the file, not of that number, or not a tree page with nodes inside it.
  TreePage(const File& data, std::uint64_t number, std::uint64_t page_bytes);

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] bool is_leaf() const noexcept { return header_.flags == leaf_page; }
  [[nodiscard]] std::size_t node_count() const noexcept { return (header_.lower - page_header_bytes) / 2; }

  [[nodiscard]] std::uint64_t child(std::size_t index) const;
  [[nodiscard]] std::size_t key_bytes(std::size_t index) const;
  [[nodiscard]] ByteView key(std::size_t index) const;
  [[nodiscard]] std::uint16_t flags(std::size_t index) const;
  /// A leaf node's value, read from overflow pages where it lies there.
  [[nodiscard]] Bytes value(std::size_t index) const;
  /// Where a big value lies. Its header is checked; it may be longer than the value needs, but is in the file.
  [[nodiscard]] OverflowRun overflow(std::size_t index) const;

  /// That the nodes fill the page from its upper bound to its end without a gap, as LMDB keeps them, that each has the
  /// size and flags of its kind, and every key a length that keys have.
  void verify() const;

 private:
  struct Node {
    std::uint16_t low = 0;
    std::uint16_t high = 0;
    std::uint16_t flags = 0;
    std::uint16_t key_bytes = 0;

    [[nodiscard]] std::size_t value_bytes() const noexcept { return low | (std::size_t{high} << 16U); }
  };
  [[nodiscard]] Node node(std::size_t index) const;
  [[nodiscard]] std::size_t node_offset(std::size_t index) const;
  [[nodiscard]] std::size_t verified_node_bytes(std::size_t index) const;
  [[noreturn]] void throw_damage(std::string want, std::string got) const;

  const File& data_;
  std::uint64_t number_;
  Bytes bytes_;
  PageHeader header_;
};

}  // namespace holdfast::detail
