#pragma once

#include <vector>

#include "core/file_io.hpp"
#include "db/meta_pages.hpp"

namespace holdfast::detail {

/// A page of a B-tree, read from the file, with its bounds checked.
class TreePage {
 public:
  /// Errors: CorruptionError when it is not in the file, not of that number, or not a tree page with nodes inside it.
  TreePage(const File& data, std::uint64_t number, std::uint64_t page_bytes);

  [[nodiscard]] bool is_leaf() const noexcept { return header_.flags == leaf_page; }
  [[nodiscard]] std::size_t node_count() const noexcept { return (header_.lower - page_header_bytes) / 2; }
  [[nodiscard]] std::uint64_t child(std::size_t index) const;
  [[nodiscard]] std::size_t key_bytes(std::size_t index) const;
  /// A leaf node's value, read from overflow pages where it lies there.
  [[nodiscard]] Bytes value(std::size_t index) const;

 private:
  struct Node {
    std::uint16_t low = 0;
    std::uint16_t high = 0;
    std::uint16_t flags = 0;
    std::uint16_t key_bytes = 0;
  };
  [[nodiscard]] Node node(std::size_t index) const;
  [[nodiscard]] std::size_t node_offset(std::size_t index) const;
  [[noreturn]] void throw_damage(std::string want, std::string got) const;

  const File& data_;
  std::uint64_t number_;
  Bytes bytes_;
  PageHeader header_;
};

/// The page numbers from `first` on that the free list names, in order, each once. Errors: CorruptionError.
[[nodiscard]] std::vector<std::uint64_t> free_pages_from(const File& data, const MetaPages& metas, std::uint64_t first);

}  // namespace holdfast::detail
