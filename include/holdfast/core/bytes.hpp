#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/core/export.hpp"

namespace holdfast {

/// Owned bytes: what is stored, or about to be.
using Bytes = std::vector<std::byte>;

/// Borrowed bytes. The lender says how long they live.
using ByteView = std::span<const std::byte>;

/// The bytes of a text, borrowed.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The text that bytes spell, borrowed. Nothing checks that it is UTF-8.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes to_bytes(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}
[[nodiscard]] inline Bytes to_bytes(std::string_view text) {
  return to_bytes(as_bytes(text));
}
[[nodiscard]] inline std::string to_text(ByteView bytes) {
  return std::string(as_text(bytes));
}

/// Unsigned lexicographic order, the order of every key in holdfast; a prefix comes before what it prefixes.
[[nodiscard]] inline std::strong_ordering compare(ByteView a, ByteView b) noexcept {
  return as_text(a) <=> as_text(b);
}

/// std::span has no operator==; this is content equality.
[[nodiscard]] inline bool equal(ByteView a, ByteView b) noexcept {
  return as_text(a) == as_text(b);
}

inline void append(Bytes& out, ByteView tail) {
  out.insert(out.end(), tail.begin(), tail.end());
}
inline void append(Bytes& out, std::string_view tail) {
  append(out, as_bytes(tail));
}

/// Lower-case hexadecimal, two digits a byte.
[[nodiscard]] HOLDFAST_API std::string to_hex(ByteView bytes);

/// The bytes that an even number of hexadecimal digits (either case) spells; nullopt for anything else.
[[nodiscard]] HOLDFAST_API std::optional<Bytes> from_hex(std::string_view text);

/// Length of the longest prefix of `text` that is well-formed UTF-8: all of it, or the offset of the first bad
/// sequence.
[[nodiscard]] HOLDFAST_API std::size_t utf8_prefix_bytes(std::string_view text) noexcept;

/// Whether `text` is well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] HOLDFAST_API bool is_utf8(std::string_view text) noexcept;

}  // namespace holdfast
