#pragma once

#include <cstddef>
#include <iterator>

namespace holdfast {

/// The iterator of a single-pass range that keeps its one current value. The range befriends it and has `value_type`,
/// `advance()` and `current()`: a pointer to the value, null at the end. `*it` is valid until `++it`.
template <class Range>
class InputIterator {
 public:
  using value_type = typename Range::value_type;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  InputIterator() = default;
  explicit InputIterator(Range* range) noexcept : range_(range) {}
  const value_type& operator*() const noexcept { return *range_->current(); }
  const value_type* operator->() const noexcept { return range_->current(); }
  InputIterator& operator++() {
    range_->advance();
    return *this;
  }
  void operator++(int) { range_->advance(); }
  friend bool operator==(const InputIterator& it, std::default_sentinel_t) noexcept { return it.at_end(); }

 private:
  [[nodiscard]] bool at_end() const noexcept { return range_->current() == nullptr; }

  Range* range_ = nullptr;
};

}  // namespace holdfast
