#include "db/tree_walk.hpp"

#include <cstring>
#include <utility>

#include "core/printable.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::size_t deepest_tree = 32;  // LMDB's cursors hold as many pages

[[noreturn]] void throw_damage(std::string want, std::string got) {
  throw CorruptionError({.want = std::move(want), .got = std::move(got)});
}

}  // namespace

bool TreeWalk::step() {
  if (!begun_) {
    begun_ = true;
    if (root_ == no_page) return false;
    enter(root_, {}, std::nullopt);
    return true;
  }
  while (!path_.empty() && path_.back().next == path_.back().page.node_count()) path_.pop_back();
  if (path_.empty()) return false;
  Level& level = path_.back();
  const std::size_t index = level.next++;
  const bool last = level.next == level.page.node_count();
  enter(level.page.child(index), index == 0 ? level.low : to_bytes(level.page.key(index)),
        last ? level.high : to_bytes(level.page.key(index + 1)));
  return true;
}

void TreeWalk::enter(std::uint64_t number, Bytes low, std::optional<Bytes> high) {
  std::optional<TreePage> page;
  try {
    page.emplace(read(number, low, high));
  } catch (const CorruptionError& error) {
    report(number, std::nullopt, error.facts().want, error.facts().got);
    return;
  } catch (const IoError& error) {
    report(number, std::nullopt, "a page that can be read", error.what());
    return;
  }
  if (page->is_leaf()) {
    ++counted_.leaf_pages;
    visit_entries(*page);
    return;
  }
  ++counted_.branch_pages;
  std::size_t first = 0;
  if (after_)
    while (first + 1 < page->node_count() && !precedes(*after_, page->key(first + 1))) ++first;
  path_.push_back({.page = std::move(*page), .next = first, .low = std::move(low), .high = std::move(high)});
}

TreePage TreeWalk::read(std::uint64_t number, ByteView low, const std::optional<Bytes>& high) {
  if (number < 2 || number > snapshot_.meta.last_page)
    throw_damage("a page from 2 to " + std::to_string(snapshot_.meta.last_page), std::to_string(number));
  visitor_.claim(number, 1);
  TreePage page(*snapshot_.data, number, snapshot_.page_bytes());
  page.verify();
  require_level(page);
  require_order(page, low, high);
  return page;
}

void TreeWalk::require_level(const TreePage& page) {
  const std::size_t level = path_.size() + 1;
  if (!page.is_leaf()) {
    if (level >= deepest_tree) throw_damage("a tree of at most 32 levels", "another branch below");
    // LMDB lets only the free list's branches come down to one child.
    if (page.node_count() < 2 && order_ != KeyOrder::numbers) throw_damage("a branch of two nodes at least", "one");
    if (counted_.depth != 0 && level >= counted_.depth)
      throw_damage("a leaf on level " + std::to_string(counted_.depth), "a branch");
    return;
  }
  if (counted_.depth == 0) counted_.depth = static_cast<std::uint16_t>(level);
  if (level != counted_.depth)
    throw_damage("leaves on level " + std::to_string(counted_.depth), "one on level " + std::to_string(level));
}

bool TreeWalk::precedes(ByteView a, ByteView b) const {
  if (order_ == KeyOrder::bytes) return compare(a, b) < 0;
  std::uint64_t left = 0;
  std::uint64_t right = 0;
  if (!a.empty()) std::memcpy(&left, a.data(), sizeof left);
  if (!b.empty()) std::memcpy(&right, b.data(), sizeof right);
  return left < right;
}

void TreeWalk::require_order(const TreePage& page, ByteView low, const std::optional<Bytes>& high) const {
  const std::size_t first = page.is_leaf() ? 0 : 1;  // a branch's first key stands for whatever is below the second
  for (std::size_t i = first; i < page.node_count(); ++i) {
    const ByteView key = page.key(i);
    if (order_ == KeyOrder::numbers && key.size() != sizeof(std::uint64_t))
      throw_damage("keys of 8 bytes", std::to_string(key.size()));
    const std::string which = "key " + std::to_string(i) + " of the page, " + printable(as_text(key));
    if (i > first && !precedes(page.key(i - 1), key)) throw_damage("keys in order", which);
    if (i == first && precedes(key, low)) throw_damage("keys from that of the page above on", which);
  }
  if (high && page.node_count() > first && !precedes(page.key(page.node_count() - 1), *high))
    throw_damage("keys below the next of the page above",
                 "the last of the page, " + printable(as_text(page.key(page.node_count() - 1))));
}

void TreeWalk::visit_entries(const TreePage& page) {
  for (std::size_t i = 0; i < page.node_count(); ++i) {
    if (after_ && !precedes(*after_, page.key(i))) continue;
    ++counted_.entries;
    try {
      if (const auto value = read_value(page, i)) visitor_.entry(page.key(i), page.flags(i), *value);
    } catch (const CorruptionError& error) {
      report(page.number(), page.key(i), error.facts().want, error.facts().got);
    }
  }
  after_.reset();
}

std::optional<Bytes> TreeWalk::read_value(const TreePage& page, std::size_t index) {
  try {
    if ((page.flags(index) & big_value_flag) != 0) {
      const OverflowRun run = page.overflow(index);
      if (run.first_page < 2 || run.first_page + run.page_count - 1 > snapshot_.meta.last_page)
        throw_damage("overflow pages up to " + std::to_string(snapshot_.meta.last_page),
                     std::to_string(run.page_count) + " from " + std::to_string(run.first_page) + " on");
      visitor_.claim(run.first_page, run.page_count);
      counted_.overflow_pages += run.page_count;
    }
    return page.value(index);
  } catch (const IoError& error) {
    report(page.number(), page.key(index), "a value that can be read", error.what());
    return std::nullopt;
  }
}

void TreeWalk::report(std::uint64_t page, std::optional<ByteView> key, std::string want, std::string got) {
  damaged_ = true;
  visitor_.damage(page, key, std::move(want), std::move(got));
}

Tree decode_named_tree(std::uint16_t flags, ByteView value) {
  Tree tree;
  if (flags != tree_flag || value.size() != sizeof tree) throw_damage("a tree's record", "another value");
  std::memcpy(&tree, value.data(), sizeof tree);
  if (tree.flags != 0) throw_damage("no flags of the LMDB database", std::to_string(tree.flags));
  return tree;
}

}  // namespace holdfast::detail
