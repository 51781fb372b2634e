#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace holdfast::detail {

/// This process's writers of one store, one at a time. Not a mutex: it knows its owner, so that a second turn on one
/// thread is an error instead of a wait for itself.
/// Threads: all methods may be called at once.
class WriterQueue {
 public:
  /// Waits for its turn; false, at once, when this thread has it already.
  [[nodiscard]] bool enter() {
    std::unique_lock lock(mutex_);
    if (owner_ == std::this_thread::get_id()) return false;
    left_.wait(lock, [&] { return owner_ == std::thread::id(); });
    owner_ = std::this_thread::get_id();
    return true;
  }

  void leave() noexcept {
    {
      const std::lock_guard lock(mutex_);
      owner_ = {};
    }
    left_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  std::thread::id owner_;
};

}  // namespace holdfast::detail
