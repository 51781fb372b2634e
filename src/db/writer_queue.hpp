#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "db/deadline.hpp"

namespace holdfast::detail {

/// This process's writers of one store, one at a time, first come first served. Not a mutex: it knows its owner, so
/// that a second turn on one thread is an error instead of a wait for itself, and a wait ends at its deadline.
/// Threads: all methods may be called at once.
class WriterQueue {
 public:
  /// Whether the turn came before the deadline. Not for a thread that has it.
  [[nodiscard]] bool enter(const Deadline& deadline);
  /// Gives the turn to the one who has waited longest.
  void leave() noexcept;
  /// How many wait.
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size();
  }
  /// Whether this thread has the turn.
  [[nodiscard]] bool is_mine() const noexcept { return owner_.load() == std::this_thread::get_id(); }

 private:
  struct Waiter {
    std::thread::id thread = std::this_thread::get_id();
    std::condition_variable turn;
  };

  mutable std::mutex mutex_;
  std::deque<Waiter*> waiters_;
  std::atomic<std::thread::id> owner_;  ///< written under the mutex
};

}  // namespace holdfast::detail
