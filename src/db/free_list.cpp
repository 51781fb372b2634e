#include "db/free_list.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::size_t node_header_bytes = 8;
constexpr std::uint16_t big_data_flag = 0x01;  // the value is the number of its first overflow page

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

Bytes TreePage::value(std::size_t index) const {
  const Node found = node(index);
  const std::size_t size = found.low | (std::size_t{found.high} << 16U);
  const std::size_t begin = node_offset(index) + node_header_bytes + found.key_bytes;
  const bool big = (found.flags & big_data_flag) != 0;
  const std::size_t in_page = big ? sizeof(std::uint64_t) : size;
  if (begin + in_page > bytes_.size()) throw_damage("a value in the page", std::to_string(in_page) + " bytes");
  if (!big) return to_bytes(ByteView(bytes_).subspan(begin, in_page));

  std::uint64_t overflow = 0;
  std::memcpy(&overflow, bytes_.data() + begin, sizeof overflow);
  PageHeader header;
  const std::uint64_t file_bytes = data_.status().size_bytes;
  if (overflow >= file_bytes / bytes_.size()) throw_damage("an overflow page in the file", std::to_string(overflow));
  const std::uint64_t offset = overflow * bytes_.size();
  const bool read = data_.read_at(std::as_writable_bytes(std::span(&header, 1)), offset) == sizeof header;
  if (!read || header.number != overflow || header.flags != overflow_page)
    throw_damage("an overflow page", "page " + std::to_string(overflow) + " is another");
  if (file_bytes - offset < page_header_bytes + size)
    throw_damage("a value in the file", std::to_string(size) + " bytes");
  Bytes value(size);
  value.resize(data_.read_at(value, offset + page_header_bytes));
  return value;
}

std::vector<std::uint64_t> free_pages_from(const File& data, const MetaPages& metas, std::uint64_t first) {
  const MetaPage& meta = metas.current();
  const auto damage = [&](std::string want, std::string got) {
    throw CorruptionError(
        {.where = data.path().string() + ", free list", .want = std::move(want), .got = std::move(got)});
  };
  std::vector<std::uint64_t> found;
  std::vector<std::uint64_t> to_visit;
  if (meta.free.root != no_page) to_visit.push_back(meta.free.root);
  std::uint64_t visits_left = data.status().size_bytes / metas.page_bytes;
  while (!to_visit.empty()) {
    if (visits_left-- == 0) damage("a tree", "pages that lead to themselves");
    const TreePage page(data, to_visit.back(), metas.page_bytes);
    to_visit.pop_back();
    for (std::size_t i = 0; i < page.node_count(); ++i) {
      if (!page.is_leaf()) {
        to_visit.push_back(page.child(i));
        continue;
      }
      // A list of page numbers: how many, then each.
      const Bytes list = page.value(i);
      std::uint64_t count = 0;
      if (list.size() >= sizeof count) std::memcpy(&count, list.data(), sizeof count);
      if (list.size() < sizeof count || count > list.size() / sizeof count - 1)
        damage("a list of pages", std::to_string(list.size()) + " bytes for " + std::to_string(count));
      for (std::uint64_t j = 1; j <= count; ++j) {
        std::uint64_t number = 0;
        std::memcpy(&number, list.data() + j * sizeof number, sizeof number);
        if (number >= first && number <= meta.last_page) found.push_back(number);
      }
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace holdfast::detail
