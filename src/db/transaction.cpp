#include "holdfast/db/transaction.hpp"

#include <utility>

#include "db/store_watch.hpp"
#include "db/write_state.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {

Transaction::~Transaction() = default;
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;

namespace {

[[noreturn]] void throw_ended() {
  throw StateError({.state = State::closed, .where = "transaction", .problem = "it has ended"});
}

}  // namespace

ReadTransaction::ReadTransaction(std::shared_ptr<detail::TransactionTables> tables) noexcept {
  tables_ = std::move(tables);
}

ReadTransaction::~ReadTransaction() {
  end();
}
ReadTransaction::ReadTransaction(ReadTransaction&&) noexcept = default;
ReadTransaction& ReadTransaction::operator=(ReadTransaction&& other) noexcept {
  if (this != &other) {
    end();
    Transaction::operator=(std::move(other));
  }
  return *this;
}

void ReadTransaction::end() noexcept {
  if (tables_) tables_->end();
  tables_.reset();
}

detail::TransactionTables& ReadTransaction::tables() const {
  if (!tables_) throw_ended();
  tables_->environment().require_own_process();
  return *tables_;
}

WriteTransaction::WriteTransaction(std::shared_ptr<detail::WriteState> state) : state_(std::move(state)) {
  tables_ = state_;
}

WriteTransaction::~WriteTransaction() {
  if (state_) state_->end();
}
WriteTransaction::WriteTransaction(WriteTransaction&&) noexcept = default;

void WriteTransaction::require_own_thread() const {
  if (!state_ || state_->ended()) throw_ended();
  state_->environment().require_own_process();
  if (!state_->on_own_thread())
    throw StateError({.state = State::foreign,
                      .where = state_->environment().path().string(),
                      .problem = "a write transaction of another thread"});
}

detail::TransactionTables& WriteTransaction::tables() const {
  require_own_thread();
  return *state_;
}

WriteTransaction::Savepoint::Savepoint(const WriteTransaction& txn) {
  txn.require_own_thread();
  state_ = txn.state_;
  step_count_ = state_->begin_savepoint();
}

WriteTransaction::Savepoint::~Savepoint() {
  if (state_) state_->roll_back_savepoint(step_count_);
}

void WriteTransaction::Savepoint::keep() noexcept {
  std::exchange(state_, nullptr)->keep_savepoint();
}

void WriteTransaction::rollback() {
  if (!state_) return;
  require_own_thread();
  tables_.reset();
  std::exchange(state_, nullptr)->end();
}

Durability CommittableTransaction::commit(const CommitOptions& options) {
  require_own_thread();
  tables_.reset();
  const auto ending = std::exchange(state_, nullptr);
  const Durability reached = [&] {
    try {
      return ending->commit(options.durability.value_or(durability_));
    } catch (...) {
      ending->end();
      throw;
    }
  }();
  ending->tell_watchers();
  if (watch_) watch_->look();
  return reached;
}

}  // namespace holdfast
