#pragma once

#include <chrono>
#include <limits>

namespace holdfast {

/// How long an entry lives: any std::chrono duration, in whole milliseconds, rounded up so that none ends early.
/// A duration of its type's maximum, or of more milliseconds than 64 bits count, is for ever. Zero and less have ended
/// already. Not a number is refused as zero is: nothing lives that long.
class TimeToLive {
 public:
  template <class Rep, class Period>
  constexpr TimeToLive(std::chrono::duration<Rep, Period> duration) noexcept  // implicit: it is a parameter type
      : milliseconds_(rounded_up(duration)) {}

  [[nodiscard]] static constexpr TimeToLive forever() noexcept { return std::chrono::milliseconds::max(); }

  [[nodiscard]] constexpr bool is_forever() const noexcept { return milliseconds_ == milliseconds_.max(); }
  [[nodiscard]] constexpr bool has_ended() const noexcept { return milliseconds_.count() <= 0; }
  /// milliseconds::max() is for ever.
  [[nodiscard]] constexpr std::chrono::milliseconds milliseconds() const noexcept { return milliseconds_; }

 private:
  using Milliseconds = std::chrono::milliseconds;

  template <class Rep, class Period>
  static constexpr Milliseconds rounded_up(std::chrono::duration<Rep, Period> duration) noexcept {
    using Duration = std::chrono::duration<Rep, Period>;
    if (!(duration > Duration::zero())) return Milliseconds::zero();
    if (duration == Duration::max()) return Milliseconds::max();
    // A long double holds every 64-bit count exactly where it is 80 bits wide; elsewhere the error is far from a limit.
    constexpr auto longest = static_cast<long double>(Milliseconds::max().count());
    const std::chrono::duration<long double, std::milli> wide = duration;
    if (wide.count() >= longest) return Milliseconds::max();
    const auto whole = static_cast<Milliseconds::rep>(wide.count());
    return Milliseconds(static_cast<long double>(whole) < wide.count() ? whole + 1 : whole);
  }

  Milliseconds milliseconds_;
};

}  // namespace holdfast
