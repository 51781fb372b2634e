#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "db/meta_pages.hpp"

namespace holdfast::testing {

/// The bytes of a closed store's data file, to be damaged.
class StoredFile {
 public:
  explicit StoredFile(std::filesystem::path path) : path_(std::move(path)) {
    std::ifstream in(path_, std::ios::binary);
    content_.assign(std::istreambuf_iterator<char>(in), {});
  }

  [[nodiscard]] std::string& content() noexcept { return content_; }
  [[nodiscard]] const std::string& content() const noexcept { return content_; }
  [[nodiscard]] std::uint64_t page_count() const noexcept { return content_.size() / page_bytes; }
  [[nodiscard]] char* bytes(std::uint64_t page) { return content_.data() + page * page_bytes; }
  [[nodiscard]] std::string_view page(std::uint64_t page) const {
    return std::string_view(content_).substr(page * page_bytes, page_bytes);
  }

  [[nodiscard]] detail::MetaPage meta(std::uint64_t number) const {
    detail::MetaPage meta;
    std::memcpy(&meta, page(number).data(), sizeof meta);
    return meta;
  }
  void set_meta(std::uint64_t number, const detail::MetaPage& meta) { std::memcpy(bytes(number), &meta, sizeof meta); }
  [[nodiscard]] std::uint64_t current_number() const { return meta(0).transaction > meta(1).transaction ? 0 : 1; }
  [[nodiscard]] detail::MetaPage current() const { return meta(current_number()); }

  [[nodiscard]] detail::PageHeader header(std::uint64_t number) const {
    detail::PageHeader header;
    std::memcpy(&header, page(number).data(), sizeof header);
    return header;
  }
  [[nodiscard]] bool is_leaf(std::uint64_t number) const {
    return header(number).number == number && header(number).flags == detail::leaf_page;
  }
  [[nodiscard]] bool contains(std::uint64_t number, std::string_view text) const {
    return page(number).find(text) != std::string_view::npos;
  }
  /// The leaf below page `root` with that text in it.
  [[nodiscard]] std::optional<std::uint64_t> leaf_with(std::uint64_t root, std::string_view text) const {
    if (is_leaf(root)) return contains(root, text) ? std::optional(root) : std::nullopt;
    const std::size_t nodes = (header(root).lower - detail::page_header_bytes) / 2U;
    for (std::size_t i = 0; i < nodes; ++i) {
      std::uint16_t at = 0;
      std::uint32_t child = 0;
      std::memcpy(&at, page(root).data() + detail::page_header_bytes + 2 * i, sizeof at);
      std::memcpy(&child, page(root).data() + at, sizeof child);
      if (const auto found = leaf_with(child, text)) return found;
    }
    return std::nullopt;
  }
  /// The record of the LMDB database `name`, and where it lies.
  [[nodiscard]] char* tree_record(std::string_view name) {
    const std::uint64_t leaf = leaf_with(current().main.root, name).value();
    return bytes(leaf) + page(leaf).rfind(name) + name.size();
  }
  [[nodiscard]] detail::Tree tree(std::string_view name) {
    detail::Tree tree;
    std::memcpy(&tree, tree_record(name), sizeof tree);
    return tree;
  }
  void set_tree(std::string_view name, const detail::Tree& tree) { std::memcpy(tree_record(name), &tree, sizeof tree); }

  /// In place where the size allows it: ext4 syncs a file that was truncated to be written anew.
  void store() const {
    const bool same_size = std::filesystem::file_size(path_) == content_.size();
    std::ofstream(path_, std::ios::binary | (same_size ? std::ios::in : std::ios::trunc)) << content_;
  }

 private:
  static constexpr std::uint64_t page_bytes = 4096;

  std::filesystem::path path_;
  std::string content_;
};

}  // namespace holdfast::testing
