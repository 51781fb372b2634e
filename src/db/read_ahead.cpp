#include "db/read_ahead.hpp"

#include <utility>

namespace holdfast::detail {

void ReadAhead::come_to(std::uint64_t page) {
  const std::uint64_t number = page / (part_bytes / page_bytes_);
  if (page == latest_page_ || number >= parts_.size()) return;
  latest_page_ = page;
  const std::uint64_t before = std::exchange(latest_part_, number);
  const bool forward = before + 1 == number;
  const bool backward = number + 1 == before;
  const bool in_order = (forward || backward) && parts_[before] == Part::asked;
  if (parts_[number] == Part::untouched && !in_order) {
    parts_[number] = Part::touched;
    return;
  }
  ask(number);
  if (forward) ask(number + 1);
  if (backward) ask(number - 1);
}

void ReadAhead::ask(std::uint64_t number) {
  if (number >= parts_.size()) return;  // also the one before the first
  if (std::exchange(parts_[number], Part::asked) == Part::asked) return;
  static_cast<void>(ops_->will_need(fd_, number * part_bytes, part_bytes));  // refused, the scan is slower
}

}  // namespace holdfast::detail
