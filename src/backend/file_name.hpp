#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Keys as file names, and back. FORMAT.md, "Files".
namespace holdfast::file_name {

inline constexpr std::string_view suffix = ".bin";
inline constexpr std::string_view lock = ".holdfast.lock";
inline constexpr std::string_view journal = ".holdfast-journal";
inline constexpr std::string_view own_prefix = ".holdfast-";  ///< the journal and temporary files

/// What a name that begins with "." is.
enum class HiddenNames { no_keys, keys };

/// The canonical name of a key, however long it gets.
[[nodiscard]] std::string encode(std::string_view key);

/// The key that a name spells, canonically or not; nullopt when it spells none.
[[nodiscard]] std::optional<std::string> decode(std::string_view name, HiddenNames hidden);

/// Whether the sweep may remove it: ours, and not the journal.
[[nodiscard]] bool is_temporary(std::string_view name);

/// The name with ASCII letters in lower case: what a case-insensitive directory compares.
[[nodiscard]] std::string folded(std::string_view name);

}  // namespace holdfast::file_name
