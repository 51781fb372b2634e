#pragma once

#include <filesystem>
#include <memory>

#include "db/transient_directory.hpp"

namespace holdfast::detail {

/// What names of unfinished work begin with.
inline constexpr std::string_view unfinished_prefix = ".holdfast-new-";

/// Where a store, or one file, is made that shall be there whole or not at all: in a directory of a temporary name
/// beside its own, which it is given when it is finished and on the disk. What is not published goes with this object;
/// what a killed process left, with the next that is made in the same place.
class NewPlace {
 public:
  /// Errors: IoError: EEXIST when there is something of that name, which stays as it is; no such parent directory.
  NewPlace(const std::filesystem::path& target, std::shared_ptr<FileOps> ops, const Entropy& entropy);

  /// The file to be made.
  [[nodiscard]] std::filesystem::path data() const;
  [[nodiscard]] const std::shared_ptr<FileOps>& ops() const noexcept { return ops_; }

  /// Syncs the file and gives the directory, or the file alone, its name. Errors: IoError, EEXIST when another was
  /// first.
  void publish_store();
  void publish_file();

 private:
  std::shared_ptr<FileOps> ops_;
  std::filesystem::path target_;
  TransientDirectory making_;
};

}  // namespace holdfast::detail
