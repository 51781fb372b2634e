#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::bench {

/// Where the figures come from, name and text: CPU, memory, kernel, compiler, build type, file system, date, commit.
std::vector<std::pair<std::string, std::string>> describe_environment(const std::filesystem::path& directory,
                                                                      const std::string& commit);

}  // namespace holdfast::bench
