#include "side_by_side/resources.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <system_error>

namespace holdfast::bench {
namespace {

/// The number behind `field` in a file of /proc; 0 where the kernel does not tell.
std::uint64_t number_in(const char* file, const std::string& field) {
  std::ifstream in(file);
  for (std::string word; in >> word;) {
    std::uint64_t number = 0;
    if (word == field && in >> number) return number;
  }
  return 0;
}

std::uint64_t anonymous_bytes() {
  constexpr std::uint64_t kib = 1024;
  return number_in("/proc/self/status", "RssAnon:") * kib;
}

template <class Use>
void for_each_file(const std::filesystem::path& directory, Use use) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) use(entry.path());
  }
}

}  // namespace

std::uint64_t written_bytes() {
  return number_in("/proc/self/io", "write_bytes:");
}

std::uint64_t occupied_bytes(const std::filesystem::path& directory) {
  constexpr std::uint64_t block_bytes = 512;
  std::uint64_t total = 0;
  for_each_file(directory, [&](const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0) total += static_cast<std::uint64_t>(status.st_blocks) * block_bytes;
  });
  return total;
}

void evict_from_page_cache(const std::filesystem::path& directory) {
  for_each_file(directory, [](const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0 && ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
    if (fd >= 0) ::close(fd);
    if (!done) throw std::system_error(errno, std::generic_category(), file);
  });
}

MemoryWatch::MemoryWatch()
    : first_bytes_(anonymous_bytes()), peak_bytes_(first_bytes_), thread_([this] {
        constexpr std::chrono::milliseconds pause(10);
        for (; !over_; std::this_thread::sleep_for(pause))
          peak_bytes_ = std::max(peak_bytes_.load(), anonymous_bytes());
      }) {}

MemoryWatch::~MemoryWatch() {
  over_ = true;
  thread_.join();
}

}  // namespace holdfast::bench
