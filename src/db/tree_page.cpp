#include "db/tree_page.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast::detail {
namespace {

constexpr std::size_t even(std::size_t bytes) noexcept {
  return bytes + (bytes & 1U);
}

/// LMDB lets at least two nodes fit a page; longer values go to overflow pages.
constexpr std::size_t largest_node_bytes(std::size_t page_bytes) noexcept {
  return ((page_bytes - page_header_bytes) / 2 & ~std::size_t{1}) - sizeof(std::uint16_t);
}

}  // namespace

TreePage::TreePage(const File& data, std::uint64_t number, std::uint64_t page_bytes)
    : data_(data), number_(number), bytes_(page_bytes) {
  if (data.read_at(bytes_, number * page_bytes) != page_bytes) throw_damage("a page in the file", "its end");
  std::memcpy(&header_, bytes_.data(), sizeof header_);
  if (header_.number != number) throw_damage("its own page number", std::to_string(header_.number));
  if (header_.flags != branch_page && header_.flags != leaf_page)
    throw_damage("a tree page", "flags " + std::to_string(header_.flags));
  if (header_.lower < page_header_bytes || header_.lower > header_.upper || header_.upper > page_bytes ||
      header_.lower % 2 != 0)
    throw_damage("bounds of nodes", std::to_string(header_.lower) + " to " + std::to_string(header_.upper));
  if (node_count() == 0) throw_damage("nodes", "none");
}

void TreePage::throw_damage(std::string want, std::string got) const {
  throw CorruptionError({.where = data_.path().string() + ", page " + std::to_string(number_),
                         .want = std::move(want),
                         .got = std::move(got)});
}

std::size_t TreePage::node_offset(std::size_t index) const {
  std::uint16_t offset = 0;
  std::memcpy(&offset, bytes_.data() + page_header_bytes + 2 * index, sizeof offset);
  if (offset < header_.upper || offset + node_header_bytes > bytes_.size())
    throw_damage("a node in the page", "offset " + std::to_string(offset));
  return offset;
}

TreePage::Node TreePage::node(std::size_t index) const {
  Node node;
  const std::size_t offset = node_offset(index);
  std::memcpy(&node, bytes_.data() + offset, sizeof node);
  if (offset + node_header_bytes + node.key_bytes > bytes_.size())
    throw_damage("a key in the page", std::to_string(node.key_bytes) + " bytes at " + std::to_string(offset));
  return node;
}

std::uint64_t TreePage::child(std::size_t index) const {
  const Node found = node(index);
  return found.low | (std::uint64_t{found.high} << 16U) | (std::uint64_t{found.flags} << 32U);
}

std::size_t TreePage::key_bytes(std::size_t index) const {
  return node(index).key_bytes;
}

ByteView TreePage::key(std::size_t index) const {
  const Node found = node(index);
  return ByteView(bytes_).subspan(node_offset(index) + node_header_bytes, found.key_bytes);
}

std::uint16_t TreePage::flags(std::size_t index) const {
  return node(index).flags;
}

Bytes TreePage::value(std::size_t index) const {
  const Node found = node(index);
  if ((found.flags & big_value_flag) != 0) {
    const OverflowRun run = overflow(index);
    Bytes value(run.value_bytes);
    if (data_.read_at(value, run.first_page * bytes_.size() + page_header_bytes) != value.size())
      throw_damage("a value in the file", std::to_string(run.value_bytes) + " bytes");
    return value;
  }
  const std::size_t begin = node_offset(index) + node_header_bytes + found.key_bytes;
  if (begin + found.value_bytes() > bytes_.size())
    throw_damage("a value in the page", std::to_string(found.value_bytes()) + " bytes");
  return to_bytes(ByteView(bytes_).subspan(begin, found.value_bytes()));
}

OverflowRun TreePage::overflow(std::size_t index) const {
  const Node found = node(index);
  const std::size_t begin = node_offset(index) + node_header_bytes + found.key_bytes;
  OverflowRun run{.value_bytes = found.value_bytes()};
  if (begin + sizeof run.first_page > bytes_.size()) throw_damage("a page number in the page", "its end");
  std::memcpy(&run.first_page, bytes_.data() + begin, sizeof run.first_page);

  const std::uint64_t pages_there = data_.status().size_bytes / bytes_.size();
  if (run.first_page >= pages_there) throw_damage("an overflow page in the file", std::to_string(run.first_page));
  PageHeader header;
  const bool read =
      data_.read_at(std::as_writable_bytes(std::span(&header, 1)), run.first_page * bytes_.size()) == sizeof header;
  if (!read || header.number != run.first_page || header.flags != overflow_page)
    throw_damage("an overflow page", "page " + std::to_string(run.first_page) + " is another");
  run.page_count = header.lower | (std::uint64_t{header.upper} << 16U);
  const std::uint64_t needed = (page_header_bytes + run.value_bytes + bytes_.size() - 1) / bytes_.size();
  if (run.page_count < needed || run.page_count > pages_there - run.first_page)
    throw_damage(std::to_string(needed) + " overflow pages from " + std::to_string(run.first_page) + " on",
                 std::to_string(run.page_count));
  return run;
}

std::size_t TreePage::verified_node_bytes(std::size_t index) const {
  const Node found = node(index);
  const std::string which = "node " + std::to_string(index) + ": ";
  const bool implicit_key = !is_leaf() && index == 0;  // less than every other: its bytes are not looked at
  if (found.key_bytes > limits::max_key_bytes || (found.key_bytes == 0 && !implicit_key))
    throw_damage(which + "a key of 1 to 511 bytes", std::to_string(found.key_bytes));
  if (!is_leaf()) return even(node_header_bytes + found.key_bytes);

  const std::size_t whole = node_header_bytes + found.key_bytes + found.value_bytes();
  switch (found.flags) {
    case big_value_flag: return even(node_header_bytes + found.key_bytes + sizeof(OverflowRun::first_page));
    case tree_flag:
      if (found.value_bytes() != sizeof(Tree))
        throw_damage(which + "a tree's record of 48 bytes", std::to_string(found.value_bytes()));
      [[fallthrough]];
    case 0:
      if (whole > largest_node_bytes(bytes_.size()))
        throw_damage(which + "a value that fits a page", std::to_string(found.value_bytes()) + " bytes");
      return even(whole);
    default: throw_damage(which + "flags of a value", std::to_string(found.flags));
  }
}

void TreePage::verify() const {
  std::vector<std::pair<std::size_t, std::size_t>> nodes;  // offset, bytes
  nodes.reserve(node_count());
  for (std::size_t i = 0; i < node_count(); ++i) nodes.emplace_back(node_offset(i), verified_node_bytes(i));
  std::sort(nodes.begin(), nodes.end());
  std::size_t expected = header_.upper;
  for (const auto& [offset, bytes] : nodes) {
    if (offset != expected)
      throw_damage("nodes side by side, the next at " + std::to_string(expected), std::to_string(offset));
    expected = offset + bytes;
  }
  if (expected != bytes_.size()) throw_damage("nodes up to the page's end", "an end at " + std::to_string(expected));
}

}  // namespace holdfast::detail
