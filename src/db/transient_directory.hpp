#pragma once

#include <filesystem>
#include <memory>

#include "core/file_io.hpp"
#include "db/fork_guard.hpp"
#include "holdfast/core/entropy.hpp"

namespace holdfast::detail {

/// Where the files of an in-memory store have names while it is opened: `holdfast-memory-<32 hex>`, exclusively
/// flock()ed. One whose lock can be had is of a process that was killed while it opened: the next to make one removes
/// it, with the files of a store and nothing else.
class TransientDirectory {
 public:
  /// Errors: IoError.
  TransientDirectory(std::shared_ptr<FileOps> ops, const std::filesystem::path& parent, const Entropy& entropy);
  /// Takes the names away; who has the files open keeps them.
  ~TransientDirectory();
  TransientDirectory(const TransientDirectory&) = delete;
  TransientDirectory& operator=(const TransientDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  void sweep(const std::filesystem::path& parent) const;

  std::shared_ptr<FileOps> ops_;
  std::filesystem::path path_;
  ProcessFile held_;
};

}  // namespace holdfast::detail
