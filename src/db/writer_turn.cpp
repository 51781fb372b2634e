#include "db/writer_turn.hpp"

#include <string>
#include <utility>

#include "db/environment.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

std::shared_ptr<WriterTurn> WriterTurn::wait(const std::shared_ptr<Environment>& environment, const Deadline& deadline,
                                             std::string_view& before_us) {
  environment->require_sound();
  require_none(*environment);
  std::shared_ptr<WriterTurn> turn(new WriterTurn(environment));
  before_us = "another thread of this process writes";
  if (!environment->writers().enter(deadline)) return nullptr;
  turn->reached_ = Stage::queue;
  before_us = "another process writes";
  if (!environment->writer_lock().take(deadline)) return nullptr;
  turn->reached_ = Stage::lock;
  return turn;
}

std::shared_ptr<WriterTurn> WriterTurn::try_take(const std::shared_ptr<Environment>& environment,
                                                 const Deadline& deadline) {
  std::string_view before_us;
  return wait(environment, deadline, before_us);
}

std::shared_ptr<WriterTurn> WriterTurn::take(const std::shared_ptr<Environment>& environment,
                                             const Deadline& deadline) {
  std::string_view before_us;
  auto turn = wait(environment, deadline, before_us);
  if (turn) return turn;
  throw_in_use(*environment, deadline, before_us);
}

void WriterTurn::require_none(Environment& environment) {
  if (environment.writers().is_mine())
    throw StateError({.state = State::would_deadlock,
                      .where = environment.path().string(),
                      .problem = "this thread has a write transaction already"});
}

void WriterTurn::throw_in_use(const Environment& environment, const Deadline& deadline, std::string_view before_us) {
  throw StateError({.state = State::in_use,
                    .where = environment.path().string(),
                    .problem = "waited " + std::to_string(deadline.timeout().count()) +
                               " ms for its turn to write: " + std::string(before_us)});
}

WriterTurn::~WriterTurn() {
  if (environment_->forked()) return;
  // With a transaction that nobody can end LMDB's lock is held on: then ours too, or others would wait without a limit.
  if (reached_ == Stage::lock && !environment_->has_abandoned()) environment_->writer_lock().give_back();
  if (reached_ != Stage::none) environment_->writers().leave();
}

}  // namespace holdfast::detail
