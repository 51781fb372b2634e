#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include "db/ordered_view.hpp"
#include "holdfast/core/durability.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/db/options.hpp"

struct MDB_txn;

namespace holdfast::detail {

class Deadline;
class Environment;
class TableIndex;
class WriterTurn;
struct ReaderSlot;

/// LMDB's MDB_dbi: an open LMDB database, the same in all transactions of an environment.
using LmdbHandle = unsigned;

/// An LMDB transaction and what it needs to stay open. Views and cursors share it, so that one used after its end is
/// an error and never a dangling pointer.
class LmdbTxn {
 public:
  virtual ~LmdbTxn() = default;
  LmdbTxn(const LmdbTxn&) = delete;
  LmdbTxn& operator=(const LmdbTxn&) = delete;

  [[nodiscard]] bool ended() const noexcept { return txn_ == nullptr; }
  /// Errors: StateError{closed}.
  [[nodiscard]] MDB_txn* raw() const;
  [[nodiscard]] const std::shared_ptr<Environment>& environment() const noexcept { return environment_; }
  /// The value of `key`; valid until the transaction ends or, in a WriteBase, writes.
  [[nodiscard]] std::optional<ByteView> get(LmdbHandle handle, ByteView key) const;

 protected:
  explicit LmdbTxn(std::shared_ptr<Environment> environment) noexcept : environment_(std::move(environment)) {}

  std::shared_ptr<Environment> environment_;
  MDB_txn* txn_ = nullptr;
};

/// A pinned snapshot. Threads: one at a time; it may move between threads (MDB_NOTLS).
class ReadBase final : public LmdbTxn {
 public:
  /// Waits where all slots of LMDB's reader table are taken. Errors: StateError{poisoned}; LimitError{max_readers}, and
  /// {map_reserve_bytes} when another process has grown the store and this one's transactions keep the map from
  /// following.
  ReadBase(std::shared_ptr<Environment> environment, const DatabaseOptions& options);
  ~ReadBase() override { end(); }
  void end() noexcept;
  /// Notes the time as that of its beginning: for those that may be held. Others get it when they are first looked at.
  void stamp() noexcept;
  /// The tables that the latest reader before it in its slot has seen, with handles that all can be used; or null.
  [[nodiscard]] const TableIndex* known_index() const noexcept;
  void know_index(std::shared_ptr<const TableIndex> index) noexcept;
  /// Ends it and keeps the handles it has opened.
  void commit();

 private:
  ReaderSlot* slot_ = nullptr;
};

/// The write transaction of the store, under LMDB's own lock. Base of a write set until commit, or written to directly.
/// Threads: only the one that began it (LMDB's lock belongs to it).
class WriteBase final : public LmdbTxn {
 public:
  /// It holds the turn until it has ended. Errors: StateError{poisoned}; LimitError{map_reserve_bytes} as ReadBase, by
  /// the deadline.
  WriteBase(std::shared_ptr<WriterTurn> turn, const Deadline& deadline);
  ~WriteBase() override { end(); }

  [[nodiscard]] bool on_own_thread() const noexcept { return std::this_thread::get_id() == thread_; }
  /// Whether it can use every handle that this process has: none was opened since it began.
  [[nodiscard]] bool serves_all_handles() const noexcept;

  /// Lets `write` put and erase, and commits. When the map is full, it grows, if it can before the deadline, and all
  /// begins again: so `write` must do the same however often it is called, and nothing may have been written before.
  /// Ended, whatever the result.
  /// Errors: what `write` throws; as WriteTransaction::commit(); StateError{in_use} when a program without holdfast's
  /// locks commits while the map grows.
  void apply_and_commit(FunctionRef<void()> write, Durability durability, const Deadline& deadline);

  /// An error of these leaves the transaction fit for nothing but end(), or another call of `write`.
  void put(LmdbHandle handle, ByteView key, ByteView value);
  bool erase(LmdbHandle handle, ByteView key);
  /// Erases everything, page by page.
  void clear(LmdbHandle handle);

  /// Commits what was written, in the map as it is. Ended, whatever the result. Errors: as WriteTransaction::commit().
  void commit(Durability durability);
  /// Drops what was written. On another thread LMDB's lock cannot be given back: the environment is poisoned.
  void end() noexcept;

 private:
  struct End {
    void operator()(WriteBase* self) const noexcept { self->end(); }
  };
  using Ending = std::unique_ptr<WriteBase, End>;

  void begin(const Deadline& deadline);
  void begin_larger(std::uint64_t wanted_bytes, std::size_t began_as, const Deadline& deadline);
  void try_commit(Durability durability);

  std::shared_ptr<WriterTurn> turn_;  ///< null once ended
  std::thread::id thread_ = std::this_thread::get_id();
  std::uint64_t handles_opened_ = 0;  ///< before it began
};

/// Lends a transaction to what it outlives.
template <class Txn>
std::shared_ptr<Txn> lent(Txn& txn) noexcept {
  return {std::shared_ptr<void>(), &txn};
}

/// One LMDB database in a transaction.
class LmdbView final : public OrderedView {
 public:
  LmdbView(std::shared_ptr<const LmdbTxn> txn, LmdbHandle handle) noexcept : txn_(std::move(txn)), handle_(handle) {}

  [[nodiscard]] std::optional<ByteView> get(ByteView key) const override { return txn_->get(handle_, key); }
  [[nodiscard]] std::uint64_t count() const override;
  /// It keeps the transaction's memory, and so may outlive the view.
  [[nodiscard]] std::unique_ptr<OrderedCursor> cursor() const override;

 private:
  std::shared_ptr<const LmdbTxn> txn_;
  LmdbHandle handle_;
};

}  // namespace holdfast::detail
