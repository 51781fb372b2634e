#pragma once

#include <memory>

#include "backend/file_directory.hpp"
#include "holdfast/backend/file.hpp"

namespace holdfast {

/// The door by which tests give a FileBackend another file system.
struct FileBackendAccess {
  [[nodiscard]] static std::unique_ptr<FileBackend> open(FileOptions options, FileDirectory::Seams seams);
};

}  // namespace holdfast
