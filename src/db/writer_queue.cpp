#include "db/writer_queue.hpp"

namespace holdfast::detail {

bool WriterQueue::enter(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  if (owner_.load() == std::thread::id()) {
    owner_ = std::this_thread::get_id();
    return true;
  }
  Waiter self;
  waiters_.push_back(&self);
  while (!is_mine()) {
    if (deadline.has_passed()) {
      std::erase(waiters_, &self);
      return false;
    }
    self.turn.wait_for(lock, deadline.nap());
  }
  return true;
}

void WriterQueue::leave() noexcept {
  const std::lock_guard lock(mutex_);
  if (waiters_.empty()) {
    owner_ = std::thread::id();
    return;
  }
  Waiter& next = *waiters_.front();
  waiters_.pop_front();
  owner_ = next.thread;
  next.turn.notify_one();  // under the lock: after it the waiter may be gone
}

}  // namespace holdfast::detail
