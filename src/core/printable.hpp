#pragma once

#include <string>
#include <string_view>

namespace holdfast {

/// A key as it may stand in a message: quoted, bytes outside printable ASCII as \xNN, cut after 64 bytes.
[[nodiscard]] inline std::string printable(std::string_view key) {
  constexpr std::size_t shown_bytes = 64;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : key.substr(0, shown_bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      text.push_back(c);
    } else {
      text += {'\\', 'x', digits[byte >> 4U], digits[byte & 0x0FU]};
    }
  }
  text += '"';
  if (key.size() > shown_bytes) text += "... (" + std::to_string(key.size()) + " bytes)";
  return text;
}

}  // namespace holdfast
