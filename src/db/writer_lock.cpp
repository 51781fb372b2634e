#include "db/writer_lock.hpp"

#include <cerrno>
#include <thread>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint64_t writers_byte = 1;
constexpr std::uint64_t waiters_byte = 3;
constexpr std::chrono::microseconds first_nap{50};
constexpr std::chrono::milliseconds longest_nap{2};
constexpr std::chrono::milliseconds chance = longest_nap + std::chrono::milliseconds(1);
constexpr std::chrono::milliseconds time_between_chances{20};

}  // namespace

bool WriterLock::take(const Deadline& deadline) {
  const auto now = clock_->steady_now();
  if (now - last_chance_ >= time_between_chances) {
    last_chance_ = now;
    if (somebody_waits()) std::this_thread::sleep_for(deadline.nap(chance));
  }
  if (try_byte(writers_byte, LockMode::exclusive)) return true;
  if (!wait_for_byte(deadline)) return false;
  last_chance_ = clock_->steady_now();
  return true;
}

void WriterLock::give_back() noexcept {
  unlock_byte(writers_byte);
}

bool WriterLock::wait_for_byte(const Deadline& deadline) {
  const auto stop = [](WriterLock* waiting) { waiting->unlock_byte(waiters_byte); };
  std::unique_ptr<WriterLock, decltype(stop)> announced(nullptr, stop);
  std::chrono::nanoseconds nap = first_nap;
  while (!deadline.has_passed()) {
    // Refused by one who asks in this moment whether somebody waits: then once more.
    if (!announced && try_byte(waiters_byte, LockMode::shared)) announced.reset(this);
    std::this_thread::sleep_for(deadline.nap(nap));
    nap = std::min<std::chrono::nanoseconds>(nap * 2, longest_nap);
    if (try_byte(writers_byte, LockMode::exclusive)) return true;
  }
  return false;
}

bool WriterLock::somebody_waits() {
  if (!try_byte(waiters_byte, LockMode::exclusive)) return true;
  unlock_byte(waiters_byte);
  return false;
}

bool WriterLock::try_byte(std::uint64_t offset_bytes, LockMode mode) {
  for (;;) {
    const int result = ops_->try_lock_byte(lock_->fd(), offset_bytes, mode);
    if (result >= 0) return true;
    if (result == -EAGAIN) return false;
    if (result != -EINTR) throw IoError({.operation = "lock", .path = lock_->path(), .error_number = -result});
  }
}

void WriterLock::unlock_byte(std::uint64_t offset_bytes) noexcept {
  // Cannot fail on a lock that is held; closing LOCK would give it back as well.
  static_cast<void>(ops_->unlock_byte(lock_->fd(), offset_bytes));
}

}  // namespace holdfast::detail
