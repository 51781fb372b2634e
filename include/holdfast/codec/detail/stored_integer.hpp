#pragma once

#include <concepts>

namespace holdfast {

/// The integers that have one width and one sign everywhere we run: not bool, not the character types.
template <class T>
concept StoredInteger =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

}  // namespace holdfast
