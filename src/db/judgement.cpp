#include "db/judgement.hpp"

#include <string>

#include "db/free_list.hpp"
#include "db/meta_pages.hpp"
#include "db/tree_page.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr int attempts = 100;
constexpr std::size_t free_list_key_bytes = 8;  // a transaction number

void check_root(const File& data, const Tree& tree, std::uint64_t page_bytes, const char* name) {
  if (tree.root == no_page) return;
  const TreePage root(data, tree.root, page_bytes);
  const auto damage = [&](std::string want, std::string got) {
    throw CorruptionError(
        {.where = data.path().string() + ", root of the " + name, .want = std::move(want), .got = std::move(got)});
  };
  if (root.is_leaf() != (tree.depth == 1))
    damage("a page for depth " + std::to_string(tree.depth), root.is_leaf() ? "a leaf" : "a branch");
  if (!root.is_leaf()) return;
  if (tree.entries != root.node_count())
    damage(std::to_string(tree.entries) + " entries", std::to_string(root.node_count()));
  if (tree.leaf_pages != 1 || tree.branch_pages != 0)
    damage("one leaf page and no branch",
           std::to_string(tree.leaf_pages) + " and " + std::to_string(tree.branch_pages));
}

void check_free_list_keys(const File& data, const Tree& tree, std::uint64_t page_bytes) {
  if (tree.root == no_page) return;
  const TreePage root(data, tree.root, page_bytes);
  for (std::size_t i = root.is_leaf() ? 0 : 1; i < root.node_count(); ++i) {  // a branch's first key is not stored
    if (root.key_bytes(i) != free_list_key_bytes)
      throw CorruptionError({.where = data.path().string() + ", root of the free list",
                             .want = "keys of 8 bytes",
                             .got = std::to_string(root.key_bytes(i))});
  }
}

void check_size(const File& data, const MetaPages& metas) {
  const std::uint64_t pages_there = data.status().size_bytes / metas.page_bytes;
  const std::uint64_t pages_wanted = metas.current().last_page + 1;
  if (pages_there >= pages_wanted) return;
  const std::uint64_t missing = pages_wanted - pages_there;
  const std::uint64_t free = free_pages_from(data, metas.current(), pages_there).size();
  if (free == missing) return;
  throw CorruptionError(
      {.where = data.path().string(),
       .offset_bytes = pages_there * metas.page_bytes,
       .want = std::to_string(pages_wanted) + " pages, or the missing ones free",
       .got = std::to_string(pages_there) + " pages, " + std::to_string(free) + " of the missing free"});
}

void examine(const File& data, const MetaPages& metas) {
  const MetaPage& meta = metas.current();
  check_root(data, meta.free, metas.page_bytes, "free list");
  check_root(data, meta.main, metas.page_bytes, "main database");
  check_free_list_keys(data, meta.free, metas.page_bytes);
  check_size(data, metas);
}

}  // namespace

void judge(const File& data) {
  for (int attempt = 1;; ++attempt) {
    const MetaPages metas = read_meta_pages(data);
    try {
      examine(data, metas);
      return;
    } catch (const CorruptionError&) {
      if (read_meta_pages(data).same_as(metas) || attempt == attempts) throw;
    }
  }
}

}  // namespace holdfast::detail
