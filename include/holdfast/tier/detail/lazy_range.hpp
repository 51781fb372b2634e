#pragma once

#include <iterator>
#include <optional>
#include <utility>

#include "holdfast/core/input_iterator.hpp"

namespace holdfast::detail {

/// A lazy, single-pass input range over a source whose `next()` gives an optional value, empty at the end.
/// `*it` is valid until `++it`. Threads: one at a time; it may move between threads before begin().
template <class Value, class Source>
class LazyRange {
 public:
  using value_type = Value;
  using Iterator = InputIterator<LazyRange>;

  explicit LazyRange(Source source) : source_(std::move(source)) {}

  /// Reads the first value. Once per range.
  [[nodiscard]] Iterator begin() {
    advance();
    return Iterator(this);
  }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  friend Iterator;
  [[nodiscard]] const Value* current() const noexcept { return value_ ? &*value_ : nullptr; }
  void advance() {
    value_.reset();
    value_ = source_.next();
  }

  Source source_;
  std::optional<Value> value_;
};

}  // namespace holdfast::detail
