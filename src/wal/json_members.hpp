#pragma once

#include <bitset>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json_text.hpp"
#include "holdfast/codec/json.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast::detail {

/// The members of a JSON object as they stand in its text, one after the other, without white space between tokens.
/// It finds where values end and leaves what they say to the reader of the value; brackets must match, and depth is
/// bounded by limits::max_json_depth.
class JsonMembers {
 public:
  enum class Step { member, end, malformed };

  explicit JsonMembers(std::string_view object) noexcept : text_(object) {}

  Step next() noexcept {
    if (at_ == 0) {
      if (!take('{')) return Step::malformed;
      if (take('}')) return ended();
    } else {
      if (take('}')) return ended();
      if (!take(',')) return Step::malformed;
    }
    const std::size_t start = at_;
    if (!skip_string()) return Step::malformed;
    name = text_.substr(start + 1, at_ - start - 2);
    if (!take(':')) return Step::malformed;
    const std::size_t value_at = at_;
    if (!skip_value()) return Step::malformed;
    value = text_.substr(value_at, at_ - value_at);
    member = text_.substr(start, at_ - start);
    return Step::member;
  }

  // Of the latest member.
  std::string_view name{};    ///< between the quotes, escapes and all
  std::string_view value{};   ///< as it stands
  std::string_view member{};  ///< name, colon and value

 private:
  [[nodiscard]] bool take(char c) noexcept {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  [[nodiscard]] Step ended() const noexcept { return at_ == text_.size() ? Step::end : Step::malformed; }

  [[nodiscard]] bool skip_string() noexcept {
    if (!take('"')) return false;
    for (;;) {
      at_ += plain_run(text_.substr(at_));
      if (take('"')) return true;
      if (!take('\\') || at_ == text_.size()) return false;
      ++at_;
    }
  }

  [[nodiscard]] static bool in_scalar(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '-' || c == '+' || c == '.';
  }

  [[nodiscard]] bool skip_value() noexcept {
    std::bitset<limits::max_json_depth> is_object;
    std::size_t depth = 0;
    do {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      if (c == '"') {
        if (!skip_string()) return false;
      } else if (c == '{' || c == '[') {
        // One level is the object whose members these are.
        if (depth + 1 == is_object.size()) return false;
        is_object[depth++] = c == '{';
        ++at_;
      } else if (c == '}' || c == ']') {
        if (depth == 0 || is_object[--depth] != (c == '}')) return false;
        ++at_;
      } else if ((c == ',' || c == ':') && depth > 0) {
        ++at_;
      } else {
        const std::size_t start = at_;
        while (at_ < text_.size() && in_scalar(text_[at_])) ++at_;
        if (at_ == start) return false;
      }
    } while (depth > 0);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The unsigned integer that a JSON text is, written in digits.
[[nodiscard]] inline std::optional<std::uint64_t> unsigned_in(std::string_view text) noexcept {
  std::uint64_t number = 0;
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The string that a JSON text is.   Errors: CodecError when it is a string and not a sound one.
[[nodiscard]] inline std::optional<std::string> string_in(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return std::nullopt;
  if (plain_ascii_run(text.substr(1)) == text.size() - 2) return std::string(text.substr(1, text.size() - 2));
  return parse_json(text).get<std::string>();
}

}  // namespace holdfast::detail
