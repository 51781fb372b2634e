#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>

#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/bytes.hpp"

/// The rows of all workloads, each a function of its number: the same for every engine and every run.
namespace holdfast::bench {

inline constexpr std::size_t key_bytes = 16;
inline constexpr std::size_t min_value_bytes = 16;
inline constexpr std::uint64_t seed = 20260101;

using Key = std::array<std::byte, key_bytes>;

/// splitmix64: neighbours in number are strangers in order.
[[nodiscard]] constexpr std::uint64_t scrambled(std::uint64_t number) noexcept {
  number += 0x9E3779B97F4A7C15U * (seed + 1);
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9U;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBU;
  return number ^ (number >> 31U);
}

[[nodiscard]] inline Key key_of_halves(std::uint64_t upper, std::uint64_t number) noexcept {
  Key key{};
  const auto high = big_endian(upper);
  const auto low = big_endian(number);
  std::copy(high.begin(), high.end(), key.begin());
  std::copy(low.begin(), low.end(), key.begin() + high.size());
  return key;
}
/// 8 random bytes, 8 of a counter.
[[nodiscard]] inline Key key_of(std::uint64_t number) noexcept {
  return key_of_halves(scrambled(number), number);
}
/// Above all others, ascending with the number.
[[nodiscard]] inline Key appended_key_of(std::uint64_t number) noexcept {
  return key_of_halves(~std::uint64_t{0}, number);
}
[[nodiscard]] inline std::uint64_t number_of(ByteView key) noexcept {
  return from_big_endian<std::uint64_t>(key.last(sizeof(std::uint64_t)));
}

/// Writes values in place: the row's number, its version, then random bytes that nothing can compress.
class ValueWriter {
 public:
  explicit ValueWriter(std::size_t value_bytes) : value_(value_bytes) {
    if (value_bytes < min_value_bytes) throw std::invalid_argument("values have at least 16 bytes");
  }
  /// Valid until the next call.
  ByteView operator()(std::uint64_t number, std::uint64_t version = 0) {
    const auto a = little_endian(number);
    const auto b = little_endian(version);
    auto at = std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), value_.begin()));
    const auto filler = window(scrambled(number + version), value_.size() - min_value_bytes);
    std::copy(filler.begin(), filler.end(), at);
    return value_;
  }

 private:
  static ByteView window(std::uint64_t where, std::size_t size) {
    static const Bytes pool = [] {
      Bytes bytes(pool_bytes);
      std::mt19937_64 random(seed);
      for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 0xFFU);
      return bytes;
    }();
    return ByteView(pool).subspan(where % (pool_bytes - size), size);
  }
  static constexpr std::size_t pool_bytes = std::size_t{1} << 20U;

  Bytes value_;
};

/// Whether it is a value of this row, in any version.
[[nodiscard]] inline bool is_value_of(ByteView value, std::uint64_t number, std::size_t value_bytes) noexcept {
  return value.size() == value_bytes && from_little_endian<std::uint64_t>(value) == number;
}

inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("wrong answer: ") + what);
}

}  // namespace holdfast::bench
