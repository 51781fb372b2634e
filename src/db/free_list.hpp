#pragma once

#include <string>
#include <vector>

#include "core/file_io.hpp"
#include "db/meta_pages.hpp"

namespace holdfast::detail {

/// An entry of the free list: how many pages, then the number of each, in descending order.
/// Errors: CorruptionError when it is cut short or out of order.
[[nodiscard]] std::vector<std::uint64_t> decode_page_list(ByteView stored, const std::string& where);

/// The page numbers from `first` on that the free list of a state names, in order, each once. Errors: CorruptionError.
[[nodiscard]] std::vector<std::uint64_t> free_pages_from(const File& data, const MetaPage& meta, std::uint64_t first);

}  // namespace holdfast::detail
