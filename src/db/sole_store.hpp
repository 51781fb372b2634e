#pragma once

#include <filesystem>
#include <memory>

#include "db/fork_guard.hpp"

namespace holdfast::detail {

/// A store's files, whatever is in them, held alone: while this lives nobody can open the store.
class SoleStore {
 public:
  /// Errors: StateError{in_use} while somebody has it open, {foreign} where no store can be; IoError.
  SoleStore(const std::filesystem::path& path, std::shared_ptr<FileOps> ops);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const File& data() const noexcept { return *data_; }
  [[nodiscard]] bool has_lock_file() const noexcept { return lock_->is_open(); }

 private:
  std::filesystem::path path_;
  ProcessFile lock_;  ///< not open where the store has none: nobody holds it then
  ProcessFile data_;
};

}  // namespace holdfast::detail
