#pragma once

#include <algorithm>
#include <chrono>
#include <memory>

#include "holdfast/core/clock.hpp"

namespace holdfast::detail {

/// When a wait ends, in a clock's monotonic time.
class Deadline {
 public:
  Deadline(std::shared_ptr<const Clock> clock, std::chrono::milliseconds timeout)
      : clock_(std::move(clock)), began_(clock_->steady_now()), timeout_(std::clamp(timeout, {}, longest)) {}

  [[nodiscard]] std::chrono::nanoseconds left() const { return began_ + timeout_ - clock_->steady_now(); }
  [[nodiscard]] bool has_passed() const { return left() <= std::chrono::nanoseconds::zero(); }
  /// How long to sleep before looking again: never long, for the clock need not be the one that sleeping goes by.
  [[nodiscard]] std::chrono::nanoseconds nap(
      std::chrono::nanoseconds longest_nap = std::chrono::milliseconds(20)) const {
    return std::clamp(left(), std::chrono::nanoseconds::zero(), longest_nap);
  }
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept { return timeout_; }

 private:
  static constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);

  std::shared_ptr<const Clock> clock_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::milliseconds timeout_;
};

}  // namespace holdfast::detail
