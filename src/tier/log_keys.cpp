#include "tier/log_keys.hpp"

#include <algorithm>
#include <charconv>

#include "core/percent.hpp"
#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

namespace {

constexpr std::size_t sequence_width = 20;
constexpr std::size_t attempt_width = 16;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// The bucket whose escaped form is exactly `text`; nullopt when there is none.
std::optional<std::string> unescape(std::string_view text) {
  std::string bucket = percent_decode(text);
  if (percent_encode(bucket) != text) return std::nullopt;
  return bucket;
}

[[noreturn]] void throw_bad_head(ByteView bytes, const std::string& where) {
  throw CorruptionError({.where = where,
                         .want = R"({"attempt":16 hexadecimal digits,"seq":number})",
                         .got = std::to_string(bytes.size()) + " bytes that are something else"});
}

}  // namespace

std::string LogKeys::entries(const std::optional<std::string>& bucket) const {
  return bucket ? buckets_ + percent_encode(*bucket) + '/' : plain_;
}

std::string LogKeys::entry(const std::optional<std::string>& bucket, std::uint64_t sequence) const {
  return entries(bucket) + sequence_digits(sequence);
}

std::optional<std::string> LogKeys::bucket_of(std::string_view key) const {
  const std::string_view rest = key.substr(buckets_.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || !parse_sequence(rest.substr(slash + 1))) return std::nullopt;
  return unescape(rest.substr(0, slash));
}

std::string sequence_digits(std::uint64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return std::string(sequence_width - digits.size(), '0') + digits;
}

std::optional<std::uint64_t> parse_sequence(std::string_view digits) {
  if (digits.size() != sequence_width || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  if (error != std::errc{} || sequence == 0) return std::nullopt;
  return sequence;
}

Bytes encode_head(const LogHead& head) {
  return to_bytes(R"({"attempt":")" + head.attempt + R"(","seq":)" + std::to_string(head.sequence) + '}');
}

LogHead decode_head(ByteView bytes, const std::string& where) {
  Json json;
  try {
    json = parse_json(as_text(bytes));
  } catch (const CodecError&) {
    throw_bad_head(bytes, where);
  }
  if (!json.is_object()) throw_bad_head(bytes, where);
  const auto attempt = json.find("attempt");
  const auto sequence = json.find("seq");
  if (attempt == json.end() || !attempt->is_string() || sequence == json.end() || !sequence->is_number_integer()) {
    throw_bad_head(bytes, where);
  }
  LogHead head{.attempt = attempt->get<std::string>()};
  if (head.attempt.size() != attempt_width || !from_hex(head.attempt)) throw_bad_head(bytes, where);
  if (!sequence->is_number_unsigned() && sequence->get<std::int64_t>() < 0) throw_bad_head(bytes, where);
  head.sequence = sequence->get<std::uint64_t>();
  return head;
}

}  // namespace holdfast::detail
