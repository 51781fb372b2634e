#pragma once

#include <optional>

namespace holdfast {

/// Which keys a range holds: those for which everything that is given is true. Nothing given: all. Contradictions hold
/// no key, and are no error.
///
///     for (const auto& [sku, part] : parts.range(txn, {.from = "a", .below = "c"}))
template <class K>
struct Bounds {
  std::optional<K> from{};     ///< this key or greater
  std::optional<K> after{};    ///< greater than this key
  std::optional<K> below{};    ///< less than this key
  std::optional<K> through{};  ///< this key or less
};

}  // namespace holdfast
