#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include "holdfast/core/bytes.hpp"

namespace holdfast {

/// The integers that have one width and one sign everywhere we run: not bool, not the character types.
template <class T>
concept StoredInteger =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

namespace detail {

/// The bytes of `value`, least significant first, whatever the host's order.
template <std::unsigned_integral U>
[[nodiscard]] constexpr std::array<std::byte, sizeof(U)> little_endian(U value) noexcept {
  std::array<std::byte, sizeof(U)> bytes{};
  for (std::size_t i = 0; i < sizeof(U); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
  return bytes;
}

/// The bytes of `value`, most significant first, whatever the host's order.
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

}  // namespace detail
}  // namespace holdfast
