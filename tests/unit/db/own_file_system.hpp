#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

namespace holdfast::testing {

/// Mounts a file system in memory at `where` that only the calling process and its children see, of the size that
/// `options` gives. False where the system lets nobody but root have one.
[[nodiscard]] inline bool mount_own_file_system(const std::filesystem::path& where, const char* options) {
  const int spaces = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;
  return ::unshare(spaces) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", where.c_str(), "tmpfs", 0, options) == 0;
}

/// From now on nothing can be written there.
[[nodiscard]] inline bool make_read_only(const std::filesystem::path& where) {
  return ::mount("tmpfs", where.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
}

}  // namespace holdfast::testing
