#pragma once

#include <filesystem>
#include <string_view>

namespace holdfast::detail {

/// Throws what LMDB's result code `result` (not 0) of `operation` on the store at `path` means: LimitError for its
/// limits, CorruptionError for damaged pages, StateError for its states, IoError for errno values.
[[noreturn]] void throw_lmdb(int result, std::string_view operation, const std::filesystem::path& path);

inline void require_lmdb(int result, std::string_view operation, const std::filesystem::path& path) {
  if (result != 0) throw_lmdb(result, operation, path);
}

}  // namespace holdfast::detail
