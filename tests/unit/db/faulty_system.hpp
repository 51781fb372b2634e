#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::testing {

enum class SystemCall { write, sync, map, thread };

/// What the library and LMDB get from the system past FileOps, and memory, which can be made to fail. It replaces
/// pwrite, writev, fdatasync, mmap, pthread_create, and operator new of over-aligned types, of the whole program: for
/// programs of their own, with one thread at work while a failure is armed.
class FaultySystem {
 public:
  /// Makes the `number`th call of that kind from now fail with `error_number`, once.
  static void fail(SystemCall call, std::size_t number, int error_number);
  /// Makes the `number`th write from now write half, once.
  static void shorten_write(std::size_t number);
  /// A disk without room for files of more than `bytes`: until disarmed, writes beyond are ENOSPC.
  static void limit_files(std::uint64_t bytes);
  /// A system without more address space: until disarmed, maps of more than `bytes` are ENOMEM.
  static void limit_maps(std::uint64_t bytes);
  /// Makes the `number`th allocation of an over-aligned type fail, counted from now and on this thread, once.
  static void fail_aligned_allocation(std::size_t number);
  /// Whether a failure that comes once has come; nothing fails after it.
  static bool disarm();
};

}  // namespace holdfast::testing
