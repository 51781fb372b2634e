#pragma once

#include <string>
#include <string_view>

namespace holdfast {

/// Text that can stand in file names and between slashes: ASCII letters, digits, `_` and `-` stand for themselves,
/// every other byte is `%` and two lower-case hexadecimal digits.
[[nodiscard]] std::string percent_encode(std::string_view bytes);

/// What a text spells, canonically or not: hexadecimal digits of either case; whatever is no escape stands for itself.
[[nodiscard]] std::string percent_decode(std::string_view text);

}  // namespace holdfast
