#include "db/wake_word.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace holdfast::detail {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "the kernel reads the word itself");

void WakeWord::change_to(std::uint32_t value) noexcept {
  std::atomic<std::uint32_t>* const word = &value_;
  word->store(value, std::memory_order_release);
  // The word may be gone by now. Then the address wakes nobody, or somebody for no reason.
  ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void WakeWord::sleep_while(std::uint32_t value, std::chrono::nanoseconds longest) const noexcept {
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  const timespec timeout{.tv_sec = longest.count() / ns_per_s, .tv_nsec = longest.count() % ns_per_s};
  ::syscall(SYS_futex, &value_, FUTEX_WAIT_PRIVATE, value, &timeout, nullptr, 0);
}

}  // namespace holdfast::detail
