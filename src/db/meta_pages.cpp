#include "db/meta_pages.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <string>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint32_t lmdb_magic = 0xBEEFC0DE;
constexpr std::uint32_t lmdb_data_version = 1;
constexpr std::size_t newer_magic_offset = 24;          // LMDB 1.0 has a longer page header
constexpr std::uint16_t no_subdirectory_flag = 0x4000;  // the flag of the environment that made the file stays in it
constexpr std::uint16_t integer_key_flag = 0x08;
constexpr std::uint64_t smallest_page_bytes = 4096;
constexpr std::uint64_t largest_page_bytes = 32768;
constexpr std::uint64_t largest_file_bytes = std::uint64_t{1} << 47;
constexpr unsigned deepest_tree = 32;
constexpr int attempts = 10'000;

template <class T>
bool read_struct(const File& data, std::uint64_t offset_bytes, T& out) {
  return data.read_at(std::as_writable_bytes(std::span(&out, 1)), offset_bytes) == sizeof out;
}

[[noreturn]] void throw_damage(const File& data, std::uint64_t page, std::string want, std::string got) {
  throw CorruptionError({.where = data.path().string() + ", meta page " + std::to_string(page),
                         .want = std::move(want),
                         .got = std::move(got)});
}

bool is_page_size(std::uint64_t bytes) noexcept {
  return std::has_single_bit(bytes) && bytes >= smallest_page_bytes && bytes <= largest_page_bytes;
}

/// Whose file it is, when the first page is not LMDB 0.9's.
[[noreturn]] void throw_stranger(const File& data) {
  std::uint32_t later_magic = 0;
  if (read_struct(data, newer_magic_offset, later_magic) && later_magic == lmdb_magic)
    throw StateError({.state = State::newer_format,
                      .where = data.path().string(),
                      .problem = "a file of LMDB 1.0; this version reads those of 0.9"});
  for (std::uint64_t bytes = smallest_page_bytes; bytes <= largest_page_bytes; bytes *= 2) {
    MetaPage second;
    if (read_struct(data, bytes, second) && second.magic == lmdb_magic && second.header.number == 1)
      throw_damage(data, 0, "LMDB's magic number", "another; meta page 1 has it");
  }
  throw StateError({.state = State::foreign, .where = data.path().string(), .problem = "not an LMDB file"});
}

void check_tree(const File& data, std::uint64_t page, const Tree& tree, const MetaPage& meta, const char* name) {
  const auto damage = [&](const std::string& want, std::uint64_t got) {
    throw_damage(data, page, std::string(name) + ": " + want, std::to_string(got));
  };
  if (tree.root == no_page) {
    if (tree.depth != 0) damage("depth 0 of an empty tree", tree.depth);
    if (tree.entries != 0) damage("no entries in an empty tree", tree.entries);
    return;
  }
  if (tree.root < 2 || tree.root > meta.last_page) damage("a root page in the file", tree.root);
  if (tree.depth < 1 || tree.depth > deepest_tree) damage("a depth from 1 to 32", tree.depth);
}

void check_page(const File& data, std::uint64_t number, const MetaPage& meta) {
  const auto damage = [&](const std::string& want, std::uint64_t got) {
    throw_damage(data, number, want, std::to_string(got));
  };
  if (meta.header.number != number) damage("its own page number", meta.header.number);
  if (meta.header.flags != meta_page) damage("the flags of a meta page", meta.header.flags);
  if (!is_page_size(meta.free.pad)) damage("a page size", meta.free.pad);
  if (meta.last_page < 1 || meta.last_page >= largest_file_bytes / meta.free.pad)
    damage("a last page number", meta.last_page);
  if ((meta.free.flags & ~no_subdirectory_flag) != integer_key_flag) damage("flags of the free list", meta.free.flags);
  if (meta.main.flags != 0) damage("flags of the main database", meta.main.flags);
  if (meta.transaction != 0 && meta.transaction % 2 != number)
    damage("a transaction that writes here", meta.transaction);
}

/// One read of both, not yet trusted to be of one moment.
MetaPages read_once(const File& data) {
  MetaPages metas;
  auto& [first, second] = metas.pages;
  if (!read_struct(data, 0, first)) {
    const auto size_bytes = data.status().size_bytes;
    throw_damage(data, 0, std::to_string(sizeof first) + " bytes",
                 size_bytes == 0 ? "an empty file" : std::to_string(size_bytes));
  }
  if (first.magic != lmdb_magic) throw_stranger(data);
  metas.page_bytes = first.free.pad;
  if (!is_page_size(metas.page_bytes)) throw_damage(data, 0, "a page size", std::to_string(metas.page_bytes));
  if (!read_struct(data, metas.page_bytes, second))
    throw_damage(data, 1, std::to_string(sizeof second) + " bytes", "the end of the file");
  return metas;
}

void check_pair(const File& data, const MetaPages& metas) {
  const auto& [first, second] = metas.pages;
  if (second.magic != lmdb_magic) throw_damage(data, 1, "LMDB's magic number", std::to_string(second.magic));
  if (first.version == second.version && first.version > lmdb_data_version)
    throw StateError({.state = State::newer_format,
                      .where = data.path().string(),
                      .problem = "LMDB's data format " + std::to_string(first.version) + "; this version reads 1"});
  for (std::uint64_t number = 0; number < 2; ++number) {
    const MetaPage& meta = metas.pages[number];
    if (meta.version != lmdb_data_version) throw_damage(data, number, "data format 1", std::to_string(meta.version));
    check_page(data, number, meta);
  }
  if (second.free.pad != metas.page_bytes)
    throw_damage(data, 1, "page size " + std::to_string(metas.page_bytes), std::to_string(second.free.pad));
  // The older page's trees are not gone by: where a meta page could not be written, LMDB leaves the number of the
  // commit before the last beside the roots of the commit that failed.
  const std::uint64_t current = &metas.current() == &first ? 0 : 1;
  check_tree(data, current, metas.current().free, metas.current(), "free list");
  check_tree(data, current, metas.current().main, metas.current(), "main database");
  // Every commit writes the other page: the transactions are neighbours, or none has been committed.
  const MetaPage& newer = metas.current();
  const MetaPage& older = &newer == &first ? second : first;
  if (newer.transaction - older.transaction != 1 && newer.transaction != 0)
    throw_damage(data, &newer == &first ? 1 : 0, "transaction " + std::to_string(newer.transaction - 1),
                 std::to_string(older.transaction));
  if (newer.last_page < older.last_page)
    throw_damage(data, &newer == &first ? 0 : 1, "a last page from " + std::to_string(older.last_page) + " on",
                 std::to_string(newer.last_page));
}

}  // namespace

bool MetaPages::same_as(const MetaPages& other) const noexcept {
  return std::memcmp(pages.data(), other.pages.data(), sizeof pages) == 0;
}

MetaPages read_meta_pages(const File& data) {
  MetaPages metas = read_once(data);
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const MetaPages again = read_once(data);
    if (metas.same_as(again)) {
      check_pair(data, metas);
      return metas;
    }
    metas = again;
  }
  throw StateError({.state = State::in_use,
                    .where = data.path().string(),
                    .problem = "its meta pages change faster than they can be read"});
}

std::vector<MetaPage> sound_meta_pages(const File& data) {
  std::vector<MetaPage> found;
  const auto add_if_sound = [&](std::uint64_t number, std::uint64_t offset_bytes) {
    MetaPage meta;
    if (!read_struct(data, offset_bytes, meta)) return;
    if (meta.magic != lmdb_magic || meta.version != lmdb_data_version) return;
    if (number == 1 && meta.free.pad != offset_bytes) return;
    try {
      check_page(data, number, meta);
      found.push_back(meta);
    } catch (const CorruptionError&) {
      return;  // it is not among the sound ones
    }
  };
  add_if_sound(0, 0);
  for (std::uint64_t bytes = smallest_page_bytes; bytes <= largest_page_bytes; bytes *= 2) add_if_sound(1, bytes);
  std::ranges::stable_sort(found, std::ranges::greater{}, &MetaPage::transaction);
  return found;
}

}  // namespace holdfast::detail
