#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

/// 16 random bytes that name a store (or a sealed backend) for as long as it lives, copies and backups included.
using StoreId = std::array<std::byte, 16>;

/// Where a sealed value belongs. A value that was moved to another key, table or store does not open.
struct Place {
  StoreId store{};
  std::uint64_t table = 0;
  ByteView key{};  ///< the encoded key, and behind it the deadline of an entry that may expire; borrowed for the call
};

/// Stored values to sealed bytes and back, bound to their place.
/// Law: open(place, seal(place, v)) == v; a changed byte or another place is a CorruptionError, never other bytes.
/// Threads: const methods may be called at once.
class HOLDFAST_API Seal {
 public:
  virtual ~Seal() = default;
  /// What a store records about its values: "checksum/1".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// Bytes that a sealed value is longer than the value, at most.
  [[nodiscard]] virtual std::size_t overhead_bytes() const noexcept = 0;
  /// Appends the sealed form of `value` to `out`.
  virtual void seal(const Place& place, ByteView value, Bytes& out) const = 0;
  /// The value inside `sealed`: borrowed from it where the seal stores values as they are, otherwise from `scratch`.
  /// Errors: CorruptionError.
  [[nodiscard]] virtual ByteView open(const Place& place, ByteView sealed, Bytes& scratch) const = 0;
};

}  // namespace holdfast
