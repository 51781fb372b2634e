#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "backend/file_directory.hpp"
#include "core/file_io.hpp"
#include "holdfast/core/bytes.hpp"

namespace holdfast {

/// What a batch comes to: by key, the value put, or none where the key is erased.
using FileChanges = std::map<std::string, std::optional<Bytes>, std::less<>>;

/// The bytes of a redo journal. FORMAT.md, "Journal".
[[nodiscard]] Bytes encode_journal(const FileChanges& changes);

/// Errors: CorruptionError for anything encode_journal() does not write, StateError{newer_format} for a later version.
[[nodiscard]] FileChanges decode_journal(ByteView stored, const std::filesystem::path& where);

/// The journal that stands in a directory, as somebody sees it who does not own the directory: it may come and go.
/// Threads: all methods may be called at once.
class PendingJournal {
 public:
  explicit PendingJournal(const FileDirectory& directory) : directory_(directory) {}

  /// Null when there is none. Errors: as of decode_journal().
  /// Cost: one system call when there is none; a journal is read once, however often it is asked for.
  [[nodiscard]] std::shared_ptr<const FileChanges> read() const;

 private:
  const FileDirectory& directory_;
  mutable std::mutex mutex_;  ///< guards the rest
  mutable File seen_;         ///< kept open: while it is, no other journal can have its inode number
  mutable std::shared_ptr<const FileChanges> changes_;
};

}  // namespace holdfast
