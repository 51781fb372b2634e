#pragma once

#include <mutex>
#include <shared_mutex>

namespace holdfast {

/// A shared mutex whose readers let a waiting writer pass: std::shared_mutex may let readers, as long as there are any
/// at all times, keep a writer waiting for ever. For std::shared_lock and std::unique_lock.
class FairSharedMutex {
 public:
  void lock() {
    const std::lock_guard turn(turn_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    const std::lock_guard turn(turn_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turn_;  ///< held while waiting, so that those who come later queue up behind
  std::shared_mutex mutex_;
};

}  // namespace holdfast
