#include "backend/file_name.hpp"

#include "holdfast/core/bytes.hpp"

namespace holdfast::file_name {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || is_upper(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string encode(std::string_view key) {
  std::string name;
  name.reserve(key.size() + suffix.size());
  for (const char& c : key) {
    if (stands_for_itself(c)) {
      name += c;
    } else {
      name += '%';
      name += to_hex(as_bytes({&c, 1}));
    }
  }
  name += suffix;
  return name;
}

std::optional<std::string> decode(std::string_view name, HiddenNames hidden) {
  if (name == suffix) return std::string();
  if (!name.ends_with(suffix) || name.starts_with(own_prefix)) return std::nullopt;
  if (name.starts_with('.') && hidden == HiddenNames::no_keys) return std::nullopt;
  name.remove_suffix(suffix.size());
  std::string key;
  key.reserve(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (static_cast<unsigned char>(name[i]) >= 0x80) return std::nullopt;
    const auto escaped = name[i] == '%' && i + 2 < name.size() ? from_hex(name.substr(i + 1, 2)) : std::nullopt;
    if (escaped) {
      key += as_text(*escaped);
      i += 2;
    } else {
      key += name[i];  // a truncated or invalid escape stands for itself
    }
  }
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
