// The canonical writer: RFC 8785 with 64-bit integers in full (FORMAT.md). Text is gathered in a block on the stack and
// handed on in few pieces; recursion is bounded by limits::max_json_depth.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "codec/json_text.hpp"
#include "holdfast/codec/detail/append_or_restore.hpp"
#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {
namespace {

constexpr auto max_portable_integer = static_cast<std::int64_t>(largest_exact_double);

/// UTF-8 bytes in the order of the UTF-16 code units they stand for: lead bytes EE and EF (U+E000 to U+FFFF) come after
/// F0 to F4 (surrogate pairs, D800 to DFFF).
bool utf16_less(std::string_view a, std::string_view b) noexcept {
  const auto rank = [](char c) -> unsigned {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0xEE) return byte;
    return byte < 0xF0 ? byte + 0x10U : byte - 2U;
  };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

/// Whether byte order may differ from UTF-16 order among keys like this one: it holds a character above U+FFFF.
bool has_supplementary(std::string_view key) noexcept {
  unsigned char greatest = 0;
  for (const char c : key) greatest = std::max(greatest, static_cast<unsigned char>(c));
  return greatest >= 0xF0;
}

bool is_decimal_integer(std::string_view key) noexcept {
  if (key.empty() || (key.size() > 1 && key.front() == '0')) return false;
  return std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class Writer {
 public:
  using Sink = FunctionRef<void(std::string_view)>;

  Writer(JsonProfile profile, Sink sink) noexcept : profile_(profile), sink_(sink) {}

  void write_document(const Json& value) {
    write(value, 0);
    flush();
  }

 private:
  [[noreturn]] void fail(std::string problem) const {
    problem += ", " + std::to_string(flushed_bytes_ + used_bytes_) + " bytes into the text";
    throw CodecError({.codec = "json", .problem = std::move(problem)});
  }

  void flush() {
    sink_({block_.data(), used_bytes_});
    flushed_bytes_ += used_bytes_;
    used_bytes_ = 0;
  }

  void put(char c) {
    if (used_bytes_ == block_.size()) flush();
    block_[used_bytes_++] = c;
  }

  void put(std::string_view text) {
    if (text.size() > block_.size() - used_bytes_) {
      flush();
      if (text.size() > block_.size()) {
        sink_(text);
        flushed_bytes_ += text.size();
        return;
      }
    }
    std::memcpy(block_.data() + used_bytes_, text.data(), text.size());
    used_bytes_ += text.size();
  }

  void write(const Json& value, std::size_t outer_depth) {
    switch (value.type()) {
      case Json::value_t::null: return put("null");
      case Json::value_t::boolean: return put(value.get_ref<const bool&>() ? "true" : "false");
      case Json::value_t::number_integer: return write_integer(value.get_ref<const Json::number_integer_t&>());
      case Json::value_t::number_unsigned: return write_integer(value.get_ref<const Json::number_unsigned_t&>());
      case Json::value_t::number_float: return write_double(value.get_ref<const double&>());
      case Json::value_t::string: return write_string(value.get_ref<const std::string&>());
      case Json::value_t::array: return write_array(value.get_ref<const Json::array_t&>(), outer_depth);
      case Json::value_t::object: return write_object(value.get_ref<const Json::object_t&>(), outer_depth);
      case Json::value_t::binary: fail("a binary value has no JSON form");
      case Json::value_t::discarded: break;
    }
    fail("a discarded value has no JSON form");
  }

  void check_depth(std::size_t depth) const {
    if (depth > limits::max_json_depth) {
      fail("nesting deeper than max_json_depth, " + std::to_string(limits::max_json_depth) + " levels");
    }
  }

  void write_array(const Json::array_t& items, std::size_t outer_depth) {
    check_depth(outer_depth + 1);
    char before = '[';
    for (const Json& item : items) {
      put(before);
      write(item, outer_depth + 1);
      before = ',';
    }
    if (items.empty()) put('[');
    put(']');
  }

  void write_object(const Json::object_t& members, std::size_t outer_depth) {
    check_depth(outer_depth + 1);
    put('{');
    char before = 0;
    const auto write_member = [&](const Json::object_t::value_type& member) {
      if (before != 0) put(before);
      before = ',';
      write_key(member.first);
      write(member.second, outer_depth + 1);
    };
    // The map is in byte order. That is UTF-16 order up to the first key outside ASCII, and to the end unless
    // characters above U+FFFF are involved.
    auto member = members.begin();
    while (member != members.end() && plain_ascii_run(member->first) == member->first.size()) write_member(*member++);
    if (std::none_of(member, members.end(), [](const auto& later) { return has_supplementary(later.first); })) {
      std::for_each(member, members.end(), write_member);
    } else {
      std::vector<const Json::object_t::value_type*> sorted;
      for (; member != members.end(); ++member) sorted.push_back(&*member);
      std::sort(sorted.begin(), sorted.end(),
                [](const auto* a, const auto* b) { return utf16_less(a->first, b->first); });
      for (const auto* later : sorted) write_member(*later);
    }
    put('}');
  }

  void write_key(const std::string& key) {
    if (profile_ == JsonProfile::portable && is_decimal_integer(key)) {
      fail("an object key that is a decimal integer is not portable");
    }
    write_string(key);
    put(':');
  }

  void write_string(std::string_view text) {
    put('"');
    std::size_t run = plain_ascii_run(text);
    if (run != text.size()) {
      if (!is_utf8(text)) fail("a string of " + std::to_string(text.size()) + " bytes is not UTF-8");
      while ((run = plain_run(text)) != text.size()) {
        put(text.substr(0, run));
        write_escape(text[run]);
        text.remove_prefix(run + 1);
      }
    }
    put(text);
    put('"');
  }

  void write_escape(char c) {
    switch (c) {
      case '"': return put("\\\"");
      case '\\': return put("\\\\");
      case '\b': return put("\\b");
      case '\t': return put("\\t");
      case '\n': return put("\\n");
      case '\f': return put("\\f");
      case '\r': return put("\\r");
      default: put("\\u00"); put(to_hex(as_bytes({&c, 1})));
    }
  }

  template <class Integer>
  void write_integer(Integer number) {
    if (profile_ == JsonProfile::portable &&
        (std::cmp_greater(number, max_portable_integer) || std::cmp_less(number, -max_portable_integer))) {
      fail("an integer beyond 2^53 is not portable");
    }
    constexpr std::size_t max_digits = 20;  // and no sign, or 19 and a sign
    if (block_.size() - used_bytes_ < max_digits) flush();
    char* const begin = block_.data() + used_bytes_;
    used_bytes_ += static_cast<std::size_t>(std::to_chars(begin, begin + max_digits, number).ptr - begin);
  }

  /// ECMAScript's Number::toString: the shortest digits that read back as `number`, in the form its magnitude decides.
  void write_double(double number) {
    if (!std::isfinite(number)) fail(std::isnan(number) ? "NaN has no JSON form" : "an infinity has no JSON form");
    if (std::abs(number) <= largest_exact_double) {
      const auto integer = static_cast<std::int64_t>(number);
      if (static_cast<double>(integer) == number) return write_integer(integer);  // -0.0 too
    }
    if (number < 0) put('-');
    std::array<char, 32> text;
    char* const first = text.data();
    char* const end = std::to_chars(first, first + text.size(), std::abs(number), std::chars_format::scientific).ptr;
    char* const e = std::find(first, end, 'e');  // d.ddde+xx, or de+xx
    int exponent = 0;
    std::from_chars(e + 2, end, exponent);
    if (e[1] == '-') exponent = -exponent;
    if (e == first + 1) return write_decimal({first, 1}, exponent);
    first[1] = first[0];  // over the point, so that the digits stand together
    write_decimal({first + 1, static_cast<std::size_t>(e - first - 1)}, exponent);
  }

  /// Writes d.ddd × 10^exponent, given its digits.
  void write_decimal(std::string_view digits, int exponent) {
    constexpr std::string_view zeros = "00000000000000000000";
    if (exponent >= 21 || exponent < -6) {
      put(digits[0]);
      if (digits.size() > 1) {
        put('.');
        put(digits.substr(1));
      }
      put(exponent < 0 ? "e-" : "e+");
      return write_integer(std::abs(exponent));
    }
    if (exponent < 0) {
      put("0.");
      put(zeros.substr(0, static_cast<std::size_t>(-exponent - 1)));
      return put(digits);
    }
    const auto whole = static_cast<std::size_t>(exponent + 1);
    if (whole < digits.size()) {
      put(digits.substr(0, whole));
      put('.');
      return put(digits.substr(whole));
    }
    // Integral, and beyond 2^53: smaller ones were written as integers.
    if (profile_ == JsonProfile::portable) fail("an integer beyond 2^53 is not portable");
    put(digits);
    put(zeros.substr(0, whole - digits.size()));
  }

  JsonProfile profile_;
  Sink sink_;
  std::size_t flushed_bytes_ = 0;
  std::size_t used_bytes_ = 0;
  std::array<char, 4096> block_;
};

}  // namespace

std::string canonical_text(const Json& value, JsonProfile profile) {
  std::string out;
  const auto sink = [&](std::string_view text) { out += text; };
  Writer(profile, sink).write_document(value);
  return out;
}

void append_canonical(const Json& value, Bytes& out, JsonProfile profile) {
  const auto sink = [&](std::string_view text) { append(out, text); };
  detail::append_or_restore(out, [&] { Writer(profile, sink).write_document(value); });
}

}  // namespace holdfast
