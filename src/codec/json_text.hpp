#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace holdfast {

/// 2^53: up to here every integer is a double, and both have the same canonical text.
inline constexpr double largest_exact_double = 9007199254740992.0;

/// How many leading bytes of `text` stand in a JSON string as they are: up to the first quote, backslash or control
/// character. Looks at eight bytes at a time: most strings are one run.
[[nodiscard]] inline std::size_t plain_run(std::string_view text) noexcept {
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
    if ((control(word) | zero_byte(word ^ ('"' * ones)) | zero_byte(word ^ ('\\' * ones))) != 0) break;
    run += sizeof word;
  }
  while (run < text.size()) {
    const char c = text[run];
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') break;
    ++run;
  }
  return run;
}

}  // namespace holdfast
