#include "faulty_system.hpp"

#include <dlfcn.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast::testing {
namespace {

struct Fault {
  bool armed = false;
  SystemCall call = SystemCall::write;
  std::size_t left = 0;
  int error_number = 0;  ///< 0: a short write
  bool came = false;
};
Fault fault;

enum class Verdict { pass, fail, shorten };

Verdict judge(SystemCall call) {
  if (!fault.armed || fault.call != call || --fault.left != 0) return Verdict::pass;
  fault.armed = false;
  fault.came = true;
  if (fault.error_number == 0) return Verdict::shorten;
  errno = fault.error_number;
  return Verdict::fail;
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

bool FaultySystem::disarm() {
  fault.armed = false;
  return fault.came;
}

}  // namespace holdfast::testing

using holdfast::testing::judge;
using holdfast::testing::real;
using holdfast::testing::SystemCall;
using holdfast::testing::Verdict;

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const Verdict verdict = judge(SystemCall::write);
  if (verdict == Verdict::fail) return -1;
  return real<decltype(::pwrite)>("pwrite")(fd, bytes, verdict == Verdict::shorten ? size / 2 : size, offset);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  const Verdict verdict = judge(SystemCall::write);
  if (verdict == Verdict::fail) return -1;
  return real<decltype(::writev)>("writev")(fd, parts, verdict == Verdict::shorten ? count / 2 : count);
}

int fdatasync(int fd) {
  if (judge(SystemCall::sync) == Verdict::fail) return -1;
  return real<decltype(::fdatasync)>("fdatasync")(fd);
}
}
