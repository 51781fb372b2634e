#include "db/lmdb_txn.hpp"

#include <lmdb.h>

#include <cerrno>
#include <utility>

#include "db/environment.hpp"
#include "db/fork_guard.hpp"
#include "db/lmdb_error.hpp"
#include "db/writer_turn.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

MDB_txn* LmdbTxn::raw() const {
  environment_->require_own_process();
  if (txn_ == nullptr)
    throw StateError(
        {.state = State::closed, .where = environment_->path().string(), .problem = "the transaction has ended"});
  return txn_;
}

ReadBase::ReadBase(std::shared_ptr<Environment> environment) : LmdbTxn(std::move(environment)) {
  environment_->require_sound();
  const int result = mdb_txn_begin(environment_->raw(), nullptr, MDB_RDONLY, &txn_);
  if (result == MDB_READERS_FULL)
    throw LimitError({.limit = "max_readers",
                      .maximum = environment_->max_readers(),
                      .actual = environment_->max_readers() + 1ULL,
                      .unit = "readers",
                      .where = environment_->path().string()});
  require_lmdb(result, "mdb_txn_begin", environment_->path());
}

void ReadBase::end() noexcept {
  if (txn_ == nullptr) return;
  if (environment_->forked()) return leave_to_parent(std::exchange(txn_, nullptr));
  mdb_txn_abort(std::exchange(txn_, nullptr));
}

void ReadBase::commit() {
  static_cast<void>(raw());  // ended: StateError
  require_lmdb(mdb_txn_commit(std::exchange(txn_, nullptr)), "mdb_txn_commit", environment_->path());
}

WriteBase::WriteBase(std::shared_ptr<WriterTurn> turn) : LmdbTxn(turn->environment()), turn_(std::move(turn)) {
  environment_->require_sound();
  require_lmdb(mdb_txn_begin(environment_->raw(), nullptr, 0, &txn_), "mdb_txn_begin", environment_->path());
}

void WriteBase::put(LmdbHandle handle, ByteView key, ByteView value) {
  MDB_val stored_key{key.size(), const_cast<std::byte*>(key.data())};
  MDB_val stored_value{value.size(), const_cast<std::byte*>(value.data())};
  environment_->require_written(mdb_put(raw(), handle, &stored_key, &stored_value, 0), "mdb_put");
}

bool WriteBase::erase(LmdbHandle handle, ByteView key) {
  MDB_val stored_key{key.size(), const_cast<std::byte*>(key.data())};
  const int result = mdb_del(raw(), handle, &stored_key, nullptr);
  if (result == MDB_NOTFOUND) return false;
  environment_->require_written(result, "mdb_del");
  return true;
}

void WriteBase::clear(LmdbHandle handle) {
  environment_->require_written(mdb_drop(raw(), handle, 0), "mdb_drop");
}

void WriteBase::commit(Durability durability) {
  static_cast<void>(raw());  // ended: StateError
  // The flag is the environment's, so it is set for this commit alone, by the one who holds the write lock.
  const int meta_unsynced = durability == Durability::synced ? 0 : 1;
  int result = mdb_env_set_flags(environment_->raw(), MDB_NOMETASYNC, meta_unsynced);
  if (result == 0) {
    result = mdb_txn_commit(std::exchange(txn_, nullptr));
  } else {
    mdb_txn_abort(std::exchange(txn_, nullptr));
  }
  const auto turn = std::move(turn_);  // given back after a failure has poisoned
  environment_->require_committed(result);
}

void WriteBase::end() noexcept {
  if (txn_ == nullptr) return;
  if (environment_->forked()) return leave_to_parent(std::exchange(txn_, nullptr));
  if (on_own_thread()) {
    mdb_txn_abort(txn_);
  } else {
    environment_->abandon(txn_, thread_);
  }
  txn_ = nullptr;
  turn_.reset();
}

}  // namespace holdfast::detail
