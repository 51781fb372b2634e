#pragma once

#include <chrono>
#include <memory>

#include "core/file_io.hpp"
#include "db/deadline.hpp"

namespace holdfast::detail {

/// Which process may write: the writers' byte of LOCK, taken for one turn at a time by the thread whose turn it is.
/// The lock is polled, so it would never come by itself to a process beside one that writes without a pause. Hence the
/// waiters' byte: who waits holds it, shared, and a process that has written for a while and finds somebody waiting
/// lets him go first.
/// Threads: one at a time.
class WriterLock {
 public:
  /// `lock` must outlive this.
  WriterLock(std::shared_ptr<FileOps> ops, const File& lock) noexcept : ops_(std::move(ops)), lock_(&lock) {}

  /// Whether it came before the deadline. Errors: IoError.
  [[nodiscard]] bool take(const Deadline& deadline);
  void give_back() noexcept;

 private:
  [[nodiscard]] bool try_byte(std::uint64_t offset_bytes, LockMode mode);
  void unlock_byte(std::uint64_t offset_bytes) noexcept;
  [[nodiscard]] bool wait_for_byte(const Deadline& deadline);
  [[nodiscard]] bool somebody_waits();

  std::shared_ptr<FileOps> ops_;
  const File* lock_;
  std::shared_ptr<const Clock> clock_ = system_clock();  ///< not that of the deadlines, which differ by handle
  std::chrono::steady_clock::time_point last_chance_{};  ///< of other processes
};

}  // namespace holdfast::detail
