#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace holdfast {

/// 2^53: up to here every integer is a double, and both have the same canonical text.
inline constexpr double largest_exact_double = 9007199254740992.0;

namespace detail {

/// How many leading bytes of `text` come before the first quote, backslash or control character, and, where
/// `stop_bit` is 0x80, before the first byte outside ASCII. Looks at eight bytes at a time: most strings are one run.
template <unsigned stop_bit>
[[nodiscard]] inline std::size_t run_length(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  constexpr std::uint64_t tops = 0x80 * ones;
  // The top bit of a byte is set where the byte is zero (first expression) or below 0x20 (second); borrows can set it
  // in bytes above such a one, never where there is none.
  const auto zero_byte = [](std::uint64_t word) { return (word - ones) & ~word & tops; };
  const auto control = [](std::uint64_t word) { return (word - 0x20 * ones) & ~word & tops; };
  std::size_t run = 0;
  while (text.size() - run >= sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + run, sizeof word);
    if ((control(word) | zero_byte(word ^ ('"' * ones)) | zero_byte(word ^ ('\\' * ones)) | (word & stop_bit * ones)) !=
        0) {
      break;
    }
    run += sizeof word;
  }
  while (run < text.size()) {
    const auto byte = static_cast<unsigned char>(text[run]);
    if (byte < 0x20 || byte == '"' || byte == '\\' || (byte & stop_bit) != 0) break;
    ++run;
  }
  return run;
}

}  // namespace detail

/// How many leading bytes of `text` stand in a JSON string as they are, if they are UTF-8.
[[nodiscard]] inline std::size_t plain_run(std::string_view text) noexcept {
  return detail::run_length<0>(text);
}

/// How many of them are ASCII, so that nothing more need be known of them.
[[nodiscard]] inline std::size_t plain_ascii_run(std::string_view text) noexcept {
  return detail::run_length<0x80>(text);
}

}  // namespace holdfast
