#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "holdfast/core/export.hpp"

namespace holdfast {

/// Randomness, as the library reads it: store ids, attempt marks. Tests pass their own.
/// Threads: all methods may be called at once.
class HOLDFAST_API Entropy {
 public:
  virtual ~Entropy() = default;
  /// Fills `out` with random bytes. Errors: IoError when the source fails.
  virtual void fill(std::span<std::byte> out) const = 0;
};

/// The operating system's cryptographic source, one object per process.
[[nodiscard]] HOLDFAST_API std::shared_ptr<const Entropy> system_entropy();

}  // namespace holdfast
