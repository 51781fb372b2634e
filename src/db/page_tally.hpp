#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {

/// Which pages of a snapshot have been accounted for, each once. Memory: a bit for each page of the file.
class PageTally {
 public:
  /// Only `pages_there` of the `page_count` pages are in the file; the rest were never written, which free pages may.
  PageTally(std::uint64_t page_count, std::uint64_t pages_there)
      : page_count_(page_count), seen_(page_count < pages_there ? page_count : pages_there) {
    claim(0, 2);  // the meta pages
  }

  /// Errors: CorruptionError when one of them was counted before or is no page of the snapshot; the others are counted.
  void claim(std::uint64_t first, std::uint64_t count) {
    std::uint64_t again = 0;
    std::uint64_t sample = 0;
    for (std::uint64_t i = 0; i < count; ++i) {  // not up to first + count, which may be more than there are numbers
      const std::uint64_t number = first + i;
      if (insert(number)) continue;
      if (again++ == 0) sample = number;
      contested_.insert(number);
    }
    if (again == 0) return;
    throw CorruptionError({.want = "pages that nothing else uses or counts as free",
                           .got = std::to_string(again) + " that are, the first " + std::to_string(sample)});
  }
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_; }
  [[nodiscard]] std::uint64_t missing() const noexcept { return page_count_ - counted_; }
  /// Pages that were claimed more than once.
  [[nodiscard]] const std::set<std::uint64_t>& contested() const noexcept { return contested_; }
  [[nodiscard]] bool has(std::uint64_t number) const {
    return number < seen_.size() ? seen_[number] : beyond_.contains(number);
  }
  /// The first page that nothing has claimed; page_count when there is none.
  [[nodiscard]] std::uint64_t first_missing() const {
    std::uint64_t number = 0;
    while (number < page_count_ && has(number)) ++number;
    return number;
  }

 private:
  bool insert(std::uint64_t number) {
    if (number >= page_count_ || has(number)) return false;
    if (number < seen_.size()) {
      seen_[number] = true;
    } else {
      beyond_.insert(number);
    }
    ++counted_;
    return true;
  }

  std::uint64_t page_count_;
  std::uint64_t counted_ = 0;
  std::vector<bool> seen_;
  std::set<std::uint64_t> beyond_;  ///< of the file's end; as many as the free list names
  std::set<std::uint64_t> contested_;
};

}  // namespace holdfast::detail
