#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace holdfast::detail {

/// A word that one thread sleeps on until another changes it. To wake a thread it takes neither a lock nor the memory
/// of the word: as soon as it is changed, the sleeper may go and take the word with it.
class WakeWord {
 public:
  explicit WakeWord(std::uint32_t value) noexcept : value_(value) {}

  [[nodiscard]] std::uint32_t value() const noexcept { return value_.load(std::memory_order_acquire); }
  void change_to(std::uint32_t value) noexcept;
  /// Returns when it is no longer `value`, after `longest`, or for no reason.
  void sleep_while(std::uint32_t value, std::chrono::nanoseconds longest) const noexcept;

 private:
  std::atomic<std::uint32_t> value_;
};

}  // namespace holdfast::detail
