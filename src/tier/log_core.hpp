#pragma once

#include <cstdint>
#include <memory>

#include "holdfast/tier/append_log.hpp"
#include "tier/tier_core.hpp"

namespace holdfast::detail {

/// What the two forms of a log have in common.
class LogCore : public TierCore {
 public:
  using TierCore::TierCore;

  virtual void check(const RawLogEntry& entry) const = 0;
  [[nodiscard]] virtual std::unique_ptr<LogCursor> scan(const LogScanOptions& options) const = 0;
  [[nodiscard]] virtual std::uint64_t last_sequence() const = 0;
  virtual void truncate_before(std::uint64_t sequence) = 0;
};

}  // namespace holdfast::detail
