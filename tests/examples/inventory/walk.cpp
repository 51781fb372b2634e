#include "walk.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <holdfast/core/bytes.hpp>
#include <holdfast/core/sha256.hpp>
#include <system_error>

namespace inventory {

namespace fs = std::filesystem;

std::vector<FoundFile> walk(const fs::path& root) {
  std::vector<FoundFile> found;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_symlink() || !entry.is_regular_file()) continue;
    const auto modified = std::chrono::file_clock::to_sys(entry.last_write_time()).time_since_epoch();
    found.push_back({.path = entry.path().lexically_relative(root).generic_string(),
                     .size_bytes = entry.file_size(),
                     .modified_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(modified).count()});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

std::string digest_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::system_error(errno, std::generic_category(), "open " + file.string());
  holdfast::Sha256 hash;
  std::vector<char> block(1 << 16);
  while (in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.update(holdfast::as_bytes({block.data(), static_cast<std::size_t>(in.gcount())}));
  }
  if (in.bad()) throw std::system_error(errno, std::generic_category(), "read " + file.string());
  return holdfast::to_hex(hash.finish());
}

std::string extension_of(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  return extension.empty() ? "(none)" : extension;
}

}  // namespace inventory
