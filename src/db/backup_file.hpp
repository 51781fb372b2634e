#pragma once

#include <filesystem>

#include "core/file_io.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/db/long_work.hpp"

namespace holdfast::detail {

/// How a backup ends (FORMAT.md): 32 bytes that say what it is and how many pages came before, then the digest of all
/// that and the pages.
class BackupSeal {
 public:
  static constexpr std::size_t size_bytes = 64;

  void add(ByteView pages) { hash_.update(pages); }
  [[nodiscard]] Bytes finish(std::uint64_t page_count);

 private:
  Sha256 hash_;
};

/// A backup file, which is only read.
class BackupFile {
 public:
  /// Errors: StateError{foreign, newer_format}; CorruptionError when it is cut; IoError.
  BackupFile(const std::filesystem::path& path, std::shared_ptr<FileOps> ops);
  explicit BackupFile(File file);

  [[nodiscard]] const File& file() const noexcept { return file_; }
  [[nodiscard]] std::uint64_t pages_bytes() const noexcept { return pages_bytes_; }
  /// Lends its pages in order and verifies their digest. Errors: CorruptionError; IoError.
  [[nodiscard]] Outcome read(const LongWork& work, FunctionRef<void(ByteView)> take) const;

 private:
  File file_;
  std::uint64_t pages_bytes_ = 0;
  std::uint64_t page_count_ = 0;
};

}  // namespace holdfast::detail
