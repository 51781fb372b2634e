#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/file_io.hpp"
#include "holdfast/core/bytes.hpp"

/// LMDB 0.9's file as far as it must be understood to judge it without mapping it: the two meta pages and the headers
/// of tree pages, in the machine's own byte order and 64-bit layout.
namespace holdfast::detail {

inline constexpr std::uint64_t no_page = ~std::uint64_t{0};
inline constexpr std::size_t page_header_bytes = 16;
inline constexpr std::uint16_t branch_page = 0x01;
inline constexpr std::uint16_t leaf_page = 0x02;
inline constexpr std::uint16_t overflow_page = 0x04;
inline constexpr std::uint16_t meta_page = 0x08;

/// MDB_db: where a B-tree begins and how large it is.
struct Tree {
  std::uint32_t pad = 0;
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = no_page;
};

/// MDB_page's header, without the union at its end.
struct PageHeader {
  std::uint64_t number = 0;
  std::uint16_t pad = 0;
  std::uint16_t flags = 0;
  std::uint16_t lower = 0;  ///< end of the node pointers
  std::uint16_t upper = 0;  ///< begin of the nodes
};

/// A meta page: its header, then MDB_meta.
struct MetaPage {
  PageHeader header;
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint64_t map_address = 0;
  std::uint64_t map_bytes = 0;
  Tree free;  ///< free.pad is the page size
  Tree main;
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};
static_assert(sizeof(Tree) == 48 && sizeof(PageHeader) == page_header_bytes && sizeof(MetaPage) == 152);

/// Both meta pages of one moment, each sound in itself and fitting the other.
struct MetaPages {
  std::array<MetaPage, 2> pages{};
  std::uint64_t page_bytes = 0;

  /// The one LMDB goes by.
  [[nodiscard]] const MetaPage& current() const noexcept {
    return pages[pages[0].transaction < pages[1].transaction ? 1 : 0];
  }
  [[nodiscard]] bool same_as(const MetaPages& other) const noexcept;
};

/// Reads them until two reads agree, since a writer may be at work.
/// Errors: StateError{foreign} for another program's file, {newer_format} for another LMDB's; CorruptionError.
[[nodiscard]] MetaPages read_meta_pages(const File& data);

/// Those meta pages that are sound in themselves, the newer first, of a file that nobody writes. Each leads to a state
/// that was committed: no commit uses pages of the one before.
[[nodiscard]] std::vector<MetaPage> sound_meta_pages(const File& data);

}  // namespace holdfast::detail
