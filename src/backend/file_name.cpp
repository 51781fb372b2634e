#include "backend/file_name.hpp"

#include <algorithm>

#include "core/percent.hpp"
#include "holdfast/core/bytes.hpp"

namespace holdfast::file_name {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

}  // namespace

std::string encode(std::string_view key) {
  return percent_encode(key).append(suffix);
}

std::optional<std::string> decode(std::string_view name, HiddenNames hidden) {
  if (name == suffix) return std::string();
  if (!name.ends_with(suffix) || name.starts_with(own_prefix)) return std::nullopt;
  if (name.starts_with('.') && hidden == HiddenNames::no_keys) return std::nullopt;
  name.remove_suffix(suffix.size());
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (!std::all_of(name.begin(), name.end(), is_ascii)) return std::nullopt;
  std::string key = percent_decode(name);
  if (!is_utf8(key)) return std::nullopt;
  return key;
}

bool is_temporary(std::string_view name) {
  return name.starts_with(own_prefix) && name != journal;
}

std::string folded(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace holdfast::file_name
