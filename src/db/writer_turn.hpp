#pragma once

#include <memory>
#include <string_view>

#include "db/deadline.hpp"

namespace holdfast::detail {

class Environment;

/// The right to write to a store: this process's turn in the queue of its writers, then the lock that says which
/// process writes. LMDB's own lock, which cannot be waited for with a limit, is then free, unless a program that does
/// not know ours holds it.
/// Threads: taken by the one that will write, given back by any.
class WriterTurn {
 public:
  /// Null when it did not come before the deadline. Errors: StateError{would_deadlock} when this thread has it,
  /// {forked, poisoned}; IoError.
  [[nodiscard]] static std::shared_ptr<WriterTurn> try_take(const std::shared_ptr<Environment>& environment,
                                                            const Deadline& deadline);
  /// Errors: also StateError{in_use} when it did not come before the deadline.
  [[nodiscard]] static std::shared_ptr<WriterTurn> take(const std::shared_ptr<Environment>& environment,
                                                        const Deadline& deadline);
  /// Errors: StateError{would_deadlock} when this thread has the turn.
  static void require_none(Environment& environment);
  /// Errors: StateError{in_use}.
  [[noreturn]] static void throw_in_use(const Environment& environment, const Deadline& deadline,
                                        std::string_view before_us);
  ~WriterTurn();
  WriterTurn(const WriterTurn&) = delete;
  WriterTurn& operator=(const WriterTurn&) = delete;

  [[nodiscard]] const std::shared_ptr<Environment>& environment() const noexcept { return environment_; }

 private:
  static std::shared_ptr<WriterTurn> wait(const std::shared_ptr<Environment>& environment, const Deadline& deadline,
                                          std::string_view& before_us);
  explicit WriterTurn(std::shared_ptr<Environment> environment) noexcept : environment_(std::move(environment)) {}

  std::shared_ptr<Environment> environment_;
  enum class Stage { none, queue, lock } reached_ = Stage::none;
};

}  // namespace holdfast::detail
