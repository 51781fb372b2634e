#pragma once

#include <atomic>
#include <chrono>

#include "holdfast/core/clock.hpp"

namespace holdfast::testing {

/// A wall clock that stands still until it is set; deadlines of waiting go by the system's.
class HandClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point now() const override {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(now_ms_.load()));
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::now();
  }
  void set(std::int64_t now_ms) noexcept { now_ms_ = now_ms; }
  void pass(std::chrono::milliseconds time) noexcept { now_ms_ += time.count(); }

 private:
  std::atomic<std::int64_t> now_ms_{1'700'000'000'000};
};

}  // namespace holdfast::testing
