#pragma once

#include <cstddef>

namespace holdfast::testing {

enum class SystemCall { write, sync };

/// The system calls that LMDB makes past FileOps, one of which can be made to fail. It replaces write, pwrite, writev
/// and fdatasync of the whole program: for programs of their own, with one thread at work while a failure is armed.
class FaultySystem {
 public:
  /// Makes the `number`th call of that kind from now fail with `error_number`, once.
  static void fail(SystemCall call, std::size_t number, int error_number);
  /// Makes the `number`th write from now write half, once.
  static void shorten_write(std::size_t number);
  /// Whether it has come to that; nothing fails after it.
  static bool disarm();
};

}  // namespace holdfast::testing
