#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <thread>

/// What a process uses, as the kernel counts it.
namespace holdfast::bench {

/// Bytes this process has sent to storage so far, or will when the kernel writes them back.
[[nodiscard]] std::uint64_t written_bytes();

/// Bytes that the files below `directory` occupy on disk.
[[nodiscard]] std::uint64_t occupied_bytes(const std::filesystem::path& directory);

/// Syncs the files below `directory` and asks the kernel to forget their pages. Nobody may have them mapped.
void evict_from_page_cache(const std::filesystem::path& directory);

/// The most anonymous memory this process had since the watch began, above what it had then; sampled every 10 ms.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;
  [[nodiscard]] std::uint64_t peak_bytes() const noexcept { return peak_bytes_ - first_bytes_; }

 private:
  std::uint64_t first_bytes_;
  std::atomic<std::uint64_t> peak_bytes_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace holdfast::bench
