#include "db/free_list.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "db/tree_page.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

std::vector<std::uint64_t> decode_page_list(ByteView stored, const std::string& where) {
  const auto damage = [&](std::string want, std::string got) {
    throw CorruptionError({.where = where, .want = std::move(want), .got = std::move(got)});
  };
  std::uint64_t count = 0;
  if (stored.size() >= sizeof count) std::memcpy(&count, stored.data(), sizeof count);
  if (stored.size() < sizeof count || count > stored.size() / sizeof count - 1)
    damage("a list of pages", std::to_string(stored.size()) + " bytes for " + std::to_string(count));
  std::vector<std::uint64_t> pages(count);
  if (count > 0) std::memcpy(pages.data(), stored.data() + sizeof count, count * sizeof count);
  for (std::size_t i = 1; i < pages.size(); ++i)
    if (pages[i] >= pages[i - 1])
      damage("a page number below " + std::to_string(pages[i - 1]), std::to_string(pages[i]));
  return pages;
}

std::vector<std::uint64_t> free_pages_from(const File& data, const MetaPage& meta, std::uint64_t first) {
  const auto damage = [&](std::string want, std::string got) {
    throw CorruptionError(
        {.where = data.path().string() + ", free list", .want = std::move(want), .got = std::move(got)});
  };
  std::vector<std::uint64_t> found;
  std::vector<std::uint64_t> to_visit;
  if (meta.free.root != no_page) to_visit.push_back(meta.free.root);
  std::uint64_t visits_left = data.status().size_bytes / meta.free.pad;
  while (!to_visit.empty()) {
    if (visits_left-- == 0) damage("a tree", "pages that lead to themselves");
    const TreePage page(data, to_visit.back(), meta.free.pad);
    to_visit.pop_back();
    for (std::size_t i = 0; i < page.node_count(); ++i) {
      if (!page.is_leaf()) {
        to_visit.push_back(page.child(i));
        continue;
      }
      for (const std::uint64_t number : decode_page_list(page.value(i), data.path().string() + ", free list"))
        if (number >= first && number <= meta.last_page) found.push_back(number);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace holdfast::detail
