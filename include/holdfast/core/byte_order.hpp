#pragma once

#include <array>
#include <concepts>
#include <cstddef>

#include "holdfast/core/bytes.hpp"

/// Integers as bytes in a stated order, never the host's.
namespace holdfast {

/// The bytes of `value`, least significant first.
template <std::unsigned_integral U>
[[nodiscard]] constexpr std::array<std::byte, sizeof(U)> little_endian(U value) noexcept {
  std::array<std::byte, sizeof(U)> bytes{};
  for (std::size_t i = 0; i < sizeof(U); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
  return bytes;
}

/// The bytes of `value`, most significant first.
template <std::unsigned_integral U>
[[nodiscard]] constexpr std::array<std::byte, sizeof(U)> big_endian(U value) noexcept {
  std::array<std::byte, sizeof(U)> bytes{};
  for (std::size_t i = 0; i < sizeof(U); ++i) {
    bytes[sizeof(U) - 1 - i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
  }
  return bytes;
}

/// Inverse of little_endian(); `bytes` holds at least sizeof(U).
template <std::unsigned_integral U>
[[nodiscard]] constexpr U from_little_endian(ByteView bytes) noexcept {
  U value = 0;
  for (std::size_t i = sizeof(U); i-- > 0;) {
    value = static_cast<U>(static_cast<U>(value << 4 << 4) | std::to_integer<U>(bytes[i]));
  }
  return value;
}

/// Inverse of big_endian(); `bytes` holds at least sizeof(U).
template <std::unsigned_integral U>
[[nodiscard]] constexpr U from_big_endian(ByteView bytes) noexcept {
  U value = 0;
  for (std::size_t i = 0; i < sizeof(U); ++i) {
    value = static_cast<U>(static_cast<U>(value << 4 << 4) | std::to_integer<U>(bytes[i]));
  }
  return value;
}

}  // namespace holdfast
