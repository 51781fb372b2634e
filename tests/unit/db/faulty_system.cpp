#include "faulty_system.hpp"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>

namespace holdfast::testing {
namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

struct Fault {
  bool armed = false;
  SystemCall call = SystemCall::write;
  std::size_t left = 0;
  int error_number = 0;  ///< 0: a short write
  bool came = false;
  std::uint64_t most_file_bytes = no_limit;
  std::uint64_t most_map_bytes = no_limit;
};
Fault fault;
thread_local std::size_t allocations_left = 0;

enum class Verdict { pass, fail, shorten };

Verdict judge(SystemCall call) {
  if (!fault.armed || fault.call != call || --fault.left != 0) return Verdict::pass;
  fault.armed = false;
  fault.came = true;
  if (fault.error_number == 0) return Verdict::shorten;
  errno = fault.error_number;
  return Verdict::fail;
}

bool exceeds(std::uint64_t bytes, std::uint64_t most, int error_number) {
  if (bytes > most) errno = error_number;
  return bytes > most;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void FaultySystem::fail(SystemCall call, std::size_t number, int error_number) {
  fault = {.armed = true, .call = call, .left = number, .error_number = error_number};
}

void FaultySystem::shorten_write(std::size_t number) {
  fail(SystemCall::write, number, 0);
}

void FaultySystem::limit_files(std::uint64_t bytes) {
  fault.most_file_bytes = bytes;
}

void FaultySystem::limit_maps(std::uint64_t bytes) {
  fault.most_map_bytes = bytes;
}

void FaultySystem::fail_aligned_allocation(std::size_t number) {
  allocations_left = number;
}

bool FaultySystem::disarm() {
  const bool came = fault.came;
  fault = {};
  return came;
}

}  // namespace holdfast::testing

using holdfast::testing::exceeds;
using holdfast::testing::fault;
using holdfast::testing::judge;
using holdfast::testing::real;
using holdfast::testing::SystemCall;
using holdfast::testing::Verdict;

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const Verdict verdict = judge(SystemCall::write);
  if (verdict == Verdict::fail) return -1;
  if (exceeds(static_cast<std::uint64_t>(offset) + size, fault.most_file_bytes, ENOSPC)) return -1;
  return real<decltype(::pwrite)>("pwrite")(fd, bytes, verdict == Verdict::shorten ? size / 2 : size, offset);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  const Verdict verdict = judge(SystemCall::write);
  if (verdict == Verdict::fail) return -1;
  if (fault.most_file_bytes != holdfast::testing::no_limit) {
    auto end = static_cast<std::uint64_t>(::lseek(fd, 0, SEEK_CUR));
    for (int i = 0; i < count; ++i) end += parts[i].iov_len;
    if (exceeds(end, fault.most_file_bytes, ENOSPC)) return -1;
  }
  return real<decltype(::writev)>("writev")(fd, parts, verdict == Verdict::shorten ? count / 2 : count);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
  if (judge(SystemCall::thread) == Verdict::fail) return errno;
  return real<decltype(::pthread_create)>("pthread_create")(thread, attributes, run, argument);
}

int fdatasync(int fd) {
  if (judge(SystemCall::sync) == Verdict::fail) return -1;
  return real<decltype(::fdatasync)>("fdatasync")(fd);
}

// The thread sanitizer maps memory before it is ready for instrumented code, or for a search for its own mmap.
__attribute__((no_sanitize("thread"))) void* mmap(void* address, size_t size, int protection, int flags, int fd,
                                                  off_t offset) noexcept {
  if (fd >= 0 && (judge(SystemCall::map) == Verdict::fail || exceeds(size, fault.most_map_bytes, ENOMEM)))
    return MAP_FAILED;
  const long mapped = ::syscall(SYS_mmap, address, size, protection, flags, fd, offset);
  return mapped == -1 ? MAP_FAILED : reinterpret_cast<void*>(mapped);
}
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  using holdfast::testing::allocations_left;
  if (allocations_left > 0 && --allocations_left == 0) throw std::bad_alloc();
  const auto align = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
