#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace holdfast::detail {

/// A lazy, single-pass input range over a source whose `next()` gives an optional value, empty at the end.
/// `*it` is valid until `++it`. Threads: one at a time; it may move between threads before begin().
template <class Value, class Source>
class LazyRange {
 public:
  class Iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(LazyRange* range) noexcept : range_(range) {}
    const Value& operator*() const noexcept { return *range_->current_; }
    const Value* operator->() const noexcept { return &*range_->current_; }
    Iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { range_->advance(); }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.at_end(); }

   private:
    [[nodiscard]] bool at_end() const noexcept { return !range_->current_.has_value(); }

    LazyRange* range_ = nullptr;
  };

  explicit LazyRange(Source source) : source_(std::move(source)) {}

  /// Reads the first value. Once per range.
  [[nodiscard]] Iterator begin() {
    advance();
    return Iterator(this);
  }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  void advance() {
    current_.reset();
    current_ = source_.next();
  }

  Source source_;
  std::optional<Value> current_;
};

}  // namespace holdfast::detail
