#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "core/file_io.hpp"
#include "db/fork_guard.hpp"
#include "holdfast/core/entropy.hpp"

namespace holdfast::detail {

/// Where the files of a store have names that nobody looks for: `<prefix><32 hex>`, exclusively flock()ed. One whose
/// lock can be had is of a process that was killed: the next to make one with that prefix removes it, with the files
/// of a store and nothing else.
class TransientDirectory {
 public:
  /// Errors: IoError.
  TransientDirectory(std::shared_ptr<FileOps> ops, const std::filesystem::path& parent, std::string_view prefix,
                     const Entropy& entropy);
  /// Takes the names away; who has the files open keeps them.
  ~TransientDirectory();
  TransientDirectory(const TransientDirectory&) = delete;
  TransientDirectory& operator=(const TransientDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// It has another name now, and stays. Errors: IoError, EEXIST when that name is taken.
  void keep_as(const std::filesystem::path& name);

 private:
  void sweep(const std::filesystem::path& parent, std::string_view prefix) const;

  std::shared_ptr<FileOps> ops_;
  std::filesystem::path path_;
  ProcessFile held_;
  bool kept_ = false;
};

}  // namespace holdfast::detail
