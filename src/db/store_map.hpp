#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "db/deadline.hpp"

namespace holdfast::detail {

class Environment;

/// The address space in which LMDB sees the data file. It is replaced by a larger one when the store has grown to its
/// end, by us or by another process. Nobody of this process may be inside meanwhile (ReaderSlots).
/// Threads: all methods may be called at once.
class StoreMap {
 public:
  explicit StoreMap(Environment& environment) noexcept : environment_(environment) {}

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(); }
  /// How often it was replaced.
  [[nodiscard]] std::uint64_t growths() const noexcept { return growths_.load(); }
  void set_granted(std::uint64_t bytes) noexcept { bytes_ = bytes; }

  /// Makes room for at least `wanted_bytes` more. By the writer, who has left; its process's readers are waited for.
  /// Errors: LimitError{map_reserve_bytes} when they do not leave in time, or the system does not grant more: all is as
  /// before. StateError{poisoned} when LMDB has lost its map.
  void grow(std::uint64_t wanted_bytes, const Deadline& deadline);
  /// Reaches to the end of what another process has written. By one who is not inside. Errors: as grow().
  void adopt(const Deadline& deadline);

 private:
  /// To replace the map. Who has it may be more patient than those who wait for it. Errors: LimitError.
  [[nodiscard]] std::unique_lock<std::mutex> turn(const Deadline& deadline);
  /// Closes the gate and waits until nobody is inside; false, and open again, when that does not come in time.
  [[nodiscard]] bool empty(const Deadline& deadline);
  /// The next larger size that the system grants, and the growth wants. Errors: LimitError.
  [[nodiscard]] std::uint64_t granted(std::uint64_t least_bytes) const;
  void resize(std::uint64_t bytes);
  [[noreturn]] void throw_full(std::uint64_t wanted_bytes, const char* why) const;

  Environment& environment_;
  std::mutex resizing_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> growths_{0};
};

}  // namespace holdfast::detail
