#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "store.hpp"

namespace inventory {

struct UpdateOptions {
  std::size_t group_size = 250;  ///< changes committed together
  /// Called after each commit with the paths it made durable.
  std::function<void(const std::vector<std::string>& paths)> on_commit{};
  /// Called for a file that cannot be recorded, with the reason; the walk goes on.
  std::function<void(const std::string& path, const std::string& reason)> on_skip{};
};

/// Brings the store up to date with the tree below `root`, and tells what changed since the last completed run. A run
/// that was cut short is continued: what it recorded counts as changed since the last run that was completed.
std::vector<Change> update(Store& store, const std::filesystem::path& root, const UpdateOptions& options);

}  // namespace inventory
