#pragma once

#include <chrono>
#include <memory>

#include "holdfast/core/export.hpp"

namespace holdfast {

/// Time, as the library reads it. Options that need time take one; the default is the system's.
/// Threads: all methods may be called at once.
class HOLDFAST_API Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time: what is stored.
  [[nodiscard]] virtual std::chrono::system_clock::time_point now() const = 0;
  /// Monotonic time: what deadlines and intervals are measured in.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const = 0;
};

/// The system's clocks, one object per process.
[[nodiscard]] HOLDFAST_API std::shared_ptr<const Clock> system_clock();

}  // namespace holdfast
