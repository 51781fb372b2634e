#include "holdfast/core/key_range.hpp"

namespace holdfast {

std::optional<std::string> prefix_successor(std::string_view prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.remove_suffix(1);
  if (prefix.empty()) return std::nullopt;
  std::string successor(prefix);
  successor.back() = static_cast<char>(static_cast<unsigned char>(successor.back()) + 1);
  return successor;
}

KeyRange KeyRange::with_prefix(std::string_view prefix) {
  return {.first = std::string(prefix), .last = prefix_successor(prefix)};
}

KeyRange KeyRange::after(std::string_view key) const {
  KeyRange rest = *this;
  if (key >= first) {
    rest.first = key;
    rest.first.push_back('\0');  // the immediate successor in byte order
  }
  return rest;
}

KeyRange KeyRange::before(std::string_view key) const {
  KeyRange rest = *this;
  if (!last || key < *last) rest.last = std::string(key);
  return rest;
}

}  // namespace holdfast
