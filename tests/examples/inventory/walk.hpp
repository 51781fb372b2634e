#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace inventory {

struct FoundFile {
  std::string path;  ///< relative to the walked directory, with '/'
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;
};

/// Every regular file below `root` in path order, symlinks not followed.
std::vector<FoundFile> walk(const std::filesystem::path& root);

/// Lower-case hex SHA-256 of a file's content. Errors: std::system_error when it cannot be read.
std::string digest_of(const std::filesystem::path& file);

/// ".hpp", or "(none)".
std::string extension_of(const std::string& path);

}  // namespace inventory
