#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/core/bytes.hpp"

namespace holdfast::detail {

/// What a tier has accepted and not yet written. Every item remembers the first attempt to write it (0: none yet);
/// later attempts include it too, so whichever of them turns out to have been applied tells which items are done.
struct Pending {
  struct Write {
    std::optional<Bytes> value{};  ///< nullopt erases
    std::uint64_t first_attempt = 0;
  };
  struct Append {
    std::optional<std::string> bucket{};
    Bytes value{};
    std::uint64_t first_attempt = 0;
  };

  std::map<std::string, Write, std::less<>> writes{};
  std::vector<Append> appends{};
  std::uint64_t truncate_before = 0;
  std::uint64_t accepted = 0;  ///< writes that the cadence counts
  bool replaces = false;       ///< these writes take the place of all older ones: a snapshot

  [[nodiscard]] bool empty() const noexcept { return writes.empty() && appends.empty() && truncate_before == 0; }

  /// Adds what was accepted later; on one key the newer write wins. On an exception nothing has changed.
  void merge(Pending&& newer);

  /// Drops what the attempts up to `attempt` included.
  void settle(std::uint64_t attempt);
};

}  // namespace holdfast::detail
