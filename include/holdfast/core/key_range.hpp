#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/core/export.hpp"

namespace holdfast {

/// The smallest key greater than every key that begins with `prefix`; nullopt when there is none, that is when
/// `prefix` is empty or all bytes of it are FF.
[[nodiscard]] HOLDFAST_API std::optional<std::string> prefix_successor(std::string_view prefix);

/// A half-open range of keys in byte order: first <= key < last; without `last` it is open above.
struct HOLDFAST_API KeyRange {
  std::string first{};                ///< inclusive; "" is the smallest key
  std::optional<std::string> last{};  ///< exclusive

  [[nodiscard]] static KeyRange all() { return {}; }
  /// Exactly the keys that begin with `prefix`.
  [[nodiscard]] static KeyRange with_prefix(std::string_view prefix);

  [[nodiscard]] bool contains(std::string_view key) const noexcept { return key >= first && (!last || key < *last); }
  [[nodiscard]] bool empty() const noexcept { return last && *last <= first; }

  /// What of this range lies after `key`, which is itself excluded.
  [[nodiscard]] KeyRange after(std::string_view key) const;
  /// What of this range lies before `key`, which is itself excluded.
  [[nodiscard]] KeyRange before(std::string_view key) const;

  bool operator==(const KeyRange&) const = default;
};

}  // namespace holdfast
