// The strict reader. Our own, because nlohmann's accepts a byte order mark, duplicate keys and anything after a NUL
// byte, and knows no depth limit. Recursion is bounded by limits::max_json_depth.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "codec/json_text.hpp"
#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

/// Whether a number that no double comes near is too small rather than too large: |number| < 1.
bool is_below_one(std::string_view number) {
  constexpr std::int64_t saturated = std::numeric_limits<std::int32_t>::max();
  const std::size_t e = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, e);
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') digits.remove_prefix(1);
    for (const char c : digits) exponent = std::min(saturated, exponent * 10 + (c - '0'));
    if (negative) exponent = -exponent;
  }
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const std::int64_t leading_power =
      point - static_cast<std::int64_t>(first) - (point > static_cast<std::int64_t>(first));
  return leading_power + exponent < 0;
}

class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  Json read_document() {
    if (text_.starts_with("\xEF\xBB\xBF")) fail(0, "a byte order mark begins the text");
    if (const std::size_t sound = utf8_prefix_bytes(text_); sound != text_.size()) fail(sound, "the text is not UTF-8");
    Json value;
    read_value(value, 0);
    if (at_ != text_.size()) fail(at_, "bytes follow the value");
    return value;
  }

 private:
  [[noreturn]] static void fail(std::size_t offset_bytes, std::string problem) {
    throw CodecError({.codec = "json", .problem = std::move(problem), .offset_bytes = offset_bytes});
  }
  [[noreturn]] void expected(std::string_view what) const {
    fail(at_, std::string(what) + " expected, " + (at_ == text_.size() ? "the end found" : "something else found"));
  }

  [[nodiscard]] bool next_is(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  void take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) expected("a value");
    at_ += word.size();
  }
  void skip_space() noexcept {
    while (next_is(' ') || next_is('\n') || next_is('\r') || next_is('\t')) ++at_;
  }

  /// Reads a value into `value`, which is null, with the white space around it.
  void read_value(Json& value, std::size_t outer_depth) {
    skip_space();
    switch (at_ < text_.size() ? text_[at_] : '\0') {
      case '{': read_object(value, outer_depth + 1); break;
      case '[': read_array(value, outer_depth + 1); break;
      case '"': value = read_string(); break;
      case 't': take_word("true"), value = true; break;
      case 'f': take_word("false"), value = false; break;
      case 'n': take_word("null"); break;
      default: read_number(value);
    }
    skip_space();
  }

  void check_depth(std::size_t depth) const {
    if (depth > limits::max_json_depth) {
      fail(at_, "nesting deeper than max_json_depth, " + std::to_string(limits::max_json_depth) + " levels");
    }
  }

  void read_array(Json& value, std::size_t depth) {
    check_depth(depth);
    value = Json::array();
    auto& items = value.get_ref<Json::array_t&>();
    ++at_;
    skip_space();
    if (take(']')) return;
    do {
      read_value(items.emplace_back(), depth);
    } while (take(','));
    if (!take(']')) expected("',' or ']'");
  }

  void read_object(Json& value, std::size_t depth) {
    check_depth(depth);
    value = Json::object();
    auto& members = value.get_ref<Json::object_t&>();
    ++at_;
    skip_space();
    if (take('}')) return;
    do {
      skip_space();
      const std::size_t key_at = at_;
      if (!next_is('"')) expected("a key");
      const auto [member, is_new] = members.try_emplace(read_string());
      if (!is_new) fail(key_at, "a key stands twice in one object");
      skip_space();
      if (!take(':')) expected("':'");
      read_value(member->second, depth);
    } while (take(','));
    if (!take('}')) expected("',' or '}'");
  }

  std::string read_string() {
    std::string out;
    ++at_;
    for (;;) {
      const std::string_view run = text_.substr(at_, plain_run(text_.substr(at_)));
      out += run;
      at_ += run.size();
      if (take('"')) return out;
      if (!next_is('\\')) expected(at_ == text_.size() ? "'\"'" : "a control character as an escape");
      read_escape(out);
    }
  }

  void read_escape(std::string& out) {
    const std::size_t escape_at = at_++;
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    switch (c) {
      case '"':
      case '\\':
      case '/': out.push_back(c); return;
      case 'b': out.push_back('\b'); return;
      case 'f': out.push_back('\f'); return;
      case 'n': out.push_back('\n'); return;
      case 'r': out.push_back('\r'); return;
      case 't': out.push_back('\t'); return;
      case 'u': break;
      default: fail(escape_at, "an escape that JSON does not have");
    }
    std::uint32_t unit = read_code_unit();
    if (unit >= 0xD800 && unit <= 0xDFFF) {
      const bool leads = unit <= 0xDBFF && take('\\') && take('u');
      const std::uint32_t trail = leads ? read_code_unit() : 0;
      if (trail < 0xDC00 || trail > 0xDFFF) fail(escape_at, "a lone surrogate");
      unit = 0x10000 + ((unit - 0xD800) << 10) + (trail - 0xDC00);
    }
    append_utf8(out, unit);
  }

  std::uint32_t read_code_unit() {
    const std::string_view digits = text_.substr(at_, 4);
    std::uint32_t unit = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (error != std::errc() || end != digits.data() + 4) expected("four hexadecimal digits");
    at_ += 4;
    return unit;
  }

  void take_digits() {
    if (at_ == text_.size() || !is_digit(text_[at_])) expected("a digit");
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  }

  void read_number(Json& value) {
    const std::size_t start = at_;
    const bool negative = take('-');
    if (!negative && (at_ == text_.size() || !is_digit(text_[at_]))) expected("a value");
    if (!take('0')) take_digits();
    bool integral = true;
    if (take('.')) {
      integral = false;
      take_digits();
    }
    if (take('e') || take('E')) {
      integral = false;
      if (!take('+')) take('-');
      take_digits();
    }
    const std::string_view number = text_.substr(start, at_ - start);
    if (!integral ||
        !(negative ? integer_from<std::int64_t>(number, value) : integer_from<std::uint64_t>(number, value))) {
      value = double_from(number, start);
    }
  }

  template <class Integer>
  static bool integer_from(std::string_view number, Json& value) {
    Integer integer = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), integer);
    if (parsed.ec != std::errc()) return false;  // beyond 64 bits: a double, then
    value = integer;
    return true;
  }

  static Json double_from(std::string_view number, std::size_t offset_bytes) {
    double real = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), real);
    if (parsed.ec != std::errc()) real = is_below_one(number) ? 0 : HUGE_VAL;
    if (!std::isfinite(real)) fail(offset_bytes, "a number beyond the range of a double");
    if (std::trunc(real) != real || std::abs(real) > largest_exact_double) return real;
    if (real < 0) return static_cast<std::int64_t>(real);
    return static_cast<std::uint64_t>(real);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Json parse_json(std::string_view text) {
  return Reader(text).read_document();
}

}  // namespace holdfast
