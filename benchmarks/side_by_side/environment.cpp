#include "side_by_side/environment.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string_view>

namespace holdfast::bench {
namespace {

constexpr const char* unknown = "unknown";

/// What stands behind the colon of the first line that begins with `field`.
std::string line_of(const char* file, std::string_view field) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto value = line.find_first_not_of(" \t", std::min(line.find(':'), line.size() - 1) + 1);
    if (line.starts_with(field) && value != std::string::npos) return line.substr(value);
  }
  return unknown;
}

std::string cpu() {
  return line_of("/proc/cpuinfo", "model name") + ", " + std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " cores";
}

std::string kernel() {
  struct utsname name {};
  return ::uname(&name) == 0 ? std::string(name.sysname) + " " + name.release : unknown;
}

std::string compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

/// The type of the mount that holds the directory: that of the longest mount point above it.
std::string file_system(const std::filesystem::path& directory) {
  const auto path = std::filesystem::weakly_canonical(directory).string() + "/";
  std::ifstream in("/proc/self/mounts");
  std::string best_point;
  std::string best_type = unknown;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string device;
    std::string point;
    std::string type;
    words >> device >> point >> type;
    if (!point.ends_with('/')) point += '/';
    if (!path.starts_with(point) || point.size() < best_point.size()) continue;
    best_point = point;
    best_type = type;
  }
  return best_type;
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::array<char, sizeof "2026-01-01 00:00 UTC"> text{};
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  return std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts) > 0 ? text.data() : unknown;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describe_environment(const std::filesystem::path& directory,
                                                                      const std::string& commit) {
  return {{"CPU", cpu()},
          {"memory", line_of("/proc/meminfo", "MemTotal")},
          {"kernel", kernel()},
          {"compiler", compiler()},
          {"build type", HOLDFAST_BENCH_BUILD_TYPE},
          {"file system", file_system(directory)},
          {"date", date()},
          {"commit", commit}};
}

}  // namespace holdfast::bench
