#include "db/lmdb_txn.hpp"

#include <lmdb.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "db/deadline.hpp"
#include "db/environment.hpp"
#include "db/fork_guard.hpp"
#include "db/lmdb_error.hpp"
#include "db/writer_turn.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::chrono::milliseconds first_nap{1};
constexpr std::chrono::milliseconds longest_nap{16};

[[noreturn]] void throw_no_slot(const Environment& environment) {
  throw LimitError({.limit = "max_readers",
                    .maximum = environment.max_readers(),
                    .actual = environment.max_readers() + 1ULL,
                    .unit = "readers",
                    .where = environment.path().string()});
}

}  // namespace

MDB_txn* LmdbTxn::raw() const {
  environment_->require_own_process();
  if (txn_ == nullptr)
    throw StateError(
        {.state = State::closed, .where = environment_->path().string(), .problem = "the transaction has ended"});
  return txn_;
}

ReadBase::ReadBase(std::shared_ptr<Environment> environment, const DatabaseOptions& options)
    : LmdbTxn(std::move(environment)) {
  std::optional<Deadline> deadline;
  for (std::chrono::milliseconds nap = first_nap;;) {
    environment_->require_sound();
    ReaderSlot* const slot = environment_->readers().enter();
    if (slot == nullptr) continue;
    const int result = slot->txn != nullptr ? mdb_txn_renew(slot->txn)
                                            : mdb_txn_begin(environment_->raw(), nullptr, MDB_RDONLY, &slot->txn);
    if (result == 0) {
      slot_ = slot;
      txn_ = slot->txn;
      slot->since_ns.store(0, std::memory_order_relaxed);
      slot->snapshot.store(mdb_txn_id(txn_), std::memory_order_release);
      return;
    }
    environment_->readers().leave(*slot);
    if (result == MDB_MAP_RESIZED) {
      environment_->map().adopt({options.clock, options.busy_timeout});
    } else if (result == MDB_READERS_FULL) {
      if (environment_->free_reader_slots()) continue;
      if (!deadline) deadline.emplace(options.clock, options.busy_timeout);
      if (deadline->has_passed()) throw_no_slot(*environment_);
      std::this_thread::sleep_for(deadline->nap(nap));
      nap = std::min(nap * 2, longest_nap);
    } else {
      throw_lmdb(result, "mdb_txn_begin", environment_->path());
    }
  }
}

void ReadBase::end() noexcept {
  if (txn_ == nullptr) return;
  if (environment_->forked()) return leave_to_parent(std::exchange(txn_, nullptr));
  txn_ = nullptr;
  environment_->readers().leave(*slot_);
}

void ReadBase::stamp() noexcept {
  const auto now = environment_->options().clock->steady_now().time_since_epoch();
  slot_->since_ns.store(std::chrono::nanoseconds(now).count(), std::memory_order_relaxed);
}

const TableIndex* ReadBase::known_index() const noexcept {
  return slot_->index.get();
}

void ReadBase::know_index(std::shared_ptr<const TableIndex> index) noexcept {
  slot_->index = std::move(index);
}

void ReadBase::commit() {
  static_cast<void>(raw());  // ended: StateError
  slot_->txn = nullptr;
  const int result = mdb_txn_commit(std::exchange(txn_, nullptr));
  environment_->readers().leave(*slot_);
  require_lmdb(result, "mdb_txn_commit", environment_->path());
}

WriteBase::WriteBase(std::shared_ptr<WriterTurn> turn, const Deadline& deadline)
    : LmdbTxn(turn->environment()), turn_(std::move(turn)) {
  begin(deadline);
}

void WriteBase::begin(const Deadline& deadline) {
  for (;;) {
    environment_->require_sound();
    if (!environment_->readers().enter_writer()) continue;
    handles_opened_ = environment_->handles().opened();
    const int result = mdb_txn_begin(environment_->raw(), nullptr, 0, &txn_);
    if (result == 0) return;
    environment_->readers().leave_writer();
    if (result != MDB_MAP_RESIZED) throw_lmdb(result, "mdb_txn_begin", environment_->path());
    environment_->map().adopt(deadline);
  }
}

bool WriteBase::serves_all_handles() const noexcept {
  return environment_->handles().opened() == handles_opened_;
}

void WriteBase::put(LmdbHandle handle, ByteView key, ByteView value) {
  MDB_val stored_key{key.size(), const_cast<std::byte*>(key.data())};
  MDB_val stored_value{value.size(), const_cast<std::byte*>(value.data())};
  environment_->require_written(mdb_put(raw(), handle, &stored_key, &stored_value, 0), "mdb_put", value.size());
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

void WriteBase::apply_and_commit(FunctionRef<void()> write, Durability durability, const Deadline& deadline) {
  const std::size_t began_as = mdb_txn_id(raw());
  const Ending ending(this);
  for (std::optional<std::uint64_t> wanted_bytes;; begin_larger(*wanted_bytes, began_as, deadline)) {
    try {
      write();
      return try_commit(durability);
    } catch (const MapFull& full) {
      wanted_bytes = full.wanted_bytes();
    }
  }
}

void WriteBase::commit(Durability durability) {
  const Ending ending(this);
  try_commit(durability);
}

/// The turn is kept meanwhile, so no writer of ours comes between.
void WriteBase::begin_larger(std::uint64_t wanted_bytes, std::size_t began_as, const Deadline& deadline) {
  if (txn_ != nullptr) mdb_txn_abort(std::exchange(txn_, nullptr));
  environment_->readers().leave_writer();
  environment_->map().grow(wanted_bytes, deadline);
  begin(deadline);
  if (mdb_txn_id(txn_) != began_as)
    throw StateError({.state = State::in_use,
                      .where = environment_->path().string(),
                      .problem = "a program without this library's locks committed while the map grew; nothing was "
                                 "written"});
}

/// Leaves the turn with us.
void WriteBase::try_commit(Durability durability) {
  static_cast<void>(raw());  // ended: StateError
  // The flag is the environment's, so it is set for this commit alone, by the one who holds the write lock.
  const int meta_unsynced = durability == Durability::synced ? 0 : 1;
  int result = mdb_env_set_flags(environment_->raw(), MDB_NOMETASYNC, meta_unsynced);
  if (result == 0) {
    result = mdb_txn_commit(std::exchange(txn_, nullptr));
  } else {
    mdb_txn_abort(std::exchange(txn_, nullptr));
  }
  environment_->require_committed(result);
  environment_->count_sync();
}

void WriteBase::end() noexcept {
  if (!turn_) return;
  if (environment_->forked()) {
    leave_to_parent(std::exchange(txn_, nullptr));
  } else {
    if (txn_ != nullptr && on_own_thread()) mdb_txn_abort(txn_);
    if (txn_ != nullptr && !on_own_thread()) environment_->abandon(txn_, thread_);
    txn_ = nullptr;
    environment_->readers().leave_writer();
  }
  turn_.reset();
}

}  // namespace holdfast::detail
