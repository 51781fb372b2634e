#include "db/page_copy.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "db/free_list.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint64_t pages_at_once = 64;
constexpr std::uint64_t meta_pages = 2;

}  // namespace

PageCopy::PageCopy(const PageSnapshot& snapshot)
    : snapshot_(snapshot), free_pages_(free_pages_from(*snapshot.data, snapshot.meta, meta_pages)) {}

bool PageCopy::next(FunctionRef<void(ByteView)> take) {
  if (next_page_ >= snapshot_.page_count()) return false;
  const std::uint64_t page_bytes = snapshot_.page_bytes();
  const std::uint64_t first = next_page_;
  const std::uint64_t count = first < meta_pages ? meta_pages : std::min(pages_at_once, snapshot_.page_count() - first);
  buffer_.assign(count * page_bytes, std::byte{0});
  next_page_ += count;
  if (first < meta_pages) {
    for (std::uint64_t number = 0; number < meta_pages; ++number) {
      MetaPage meta = snapshot_.meta;
      meta.header.number = number;
      if (meta.transaction % 2 != number) --meta.transaction;
      std::memcpy(buffer_.data() + number * page_bytes, &meta, sizeof meta);
    }
    take(buffer_);
    return true;
  }
  snapshot_.data->read_at(buffer_, first * page_bytes);
  const std::uint64_t pages_there = snapshot_.data->status().size_bytes / page_bytes;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool free = next_free_ < free_pages_.size() && free_pages_[next_free_] == first + i;
    if (free) {
      ++next_free_;
      std::fill_n(buffer_.begin() + static_cast<std::ptrdiff_t>(i * page_bytes), page_bytes, std::byte{0});
    } else if (first + i >= pages_there) {
      throw CorruptionError({.where = snapshot_.data->path().string(),
                             .want = "page " + std::to_string(first + i),
                             .got = "the end of the file"});
    }
  }
  take(buffer_);
  return true;
}

}  // namespace holdfast::detail
