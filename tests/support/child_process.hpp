#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <utility>

namespace holdfast::testing {

/// A fork of this process that runs `work` and nothing else: no destructor of the parent's objects, no exit handler.
/// Fork before the parent opens what the child will open. The destructor kills what is still running.
/// The two talk over a pipe: the child tells numbers, the parent hears them in order.
class ChildProcess {
 public:
  class Voice {
   public:
    explicit Voice(int fd) noexcept : fd_(fd) {}
    void tell(std::uint64_t number) const {
      if (::write(fd_, &number, sizeof number) != static_cast<ssize_t>(sizeof number)) ::_exit(3);
    }

   private:
    int fd_;
  };

  template <class Work>
  explicit ChildProcess(Work work) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      ::close(ends[0]);
      try {
        work(Voice(ends[1]));
        ::_exit(0);
      } catch (const std::exception& error) {
        std::cerr << "child: " << error.what() << std::endl;
        ::_exit(2);
      }
    }
    ::close(ends[1]);
    hearing_ = ends[0];
  }
  ~ChildProcess() {
    if (pid_ > 0) {
      kill();
      wait();
    }
    ::close(hearing_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// The next number it told; nullopt once it is gone and all was heard. Waits.
  std::optional<std::uint64_t> hear() const {
    std::uint64_t number = 0;
    if (::read(hearing_, &number, sizeof number) != static_cast<ssize_t>(sizeof number)) return std::nullopt;
    return number;
  }
  void kill() const { ::kill(pid_, SIGKILL); }
  /// Its exit code; 128 and the signal's number when one ended it.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int hearing_ = -1;
};

}  // namespace holdfast::testing
