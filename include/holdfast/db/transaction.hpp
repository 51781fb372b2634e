#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "holdfast/core/durability.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

class BulkLoader;

namespace detail {
class Migration;
class ReadBase;
class StoreWatch;
class TransactionTables;
class WriteState;
}  // namespace detail

/// What tables read through: one state of the whole store, pinned when the transaction began.
class HOLDFAST_API Transaction {
 public:
  virtual ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Whether it still serves; ended transactions answer every call with StateError{closed}.
  [[nodiscard]] bool is_open() const noexcept { return tables_ != nullptr; }

 protected:
  Transaction() = default;
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;

  friend class ByteTable;
  friend class Database;
  /// The tables, for a caller that may use them now. Errors: StateError.
  [[nodiscard]] virtual detail::TransactionTables& tables() const = 0;

  std::shared_ptr<detail::TransactionTables> tables_;  ///< null once ended
};

/// A snapshot: what is written after it began, by anyone, it never shows. It keeps its store open, and the pages it
/// shows cannot be used again while it lives: hold it as briefly as it is needed.
/// Threads: one at a time; it may move between threads.
class HOLDFAST_API ReadTransaction final : public Transaction {
 public:
  ~ReadTransaction() override;
  ReadTransaction(ReadTransaction&&) noexcept;
  ReadTransaction& operator=(ReadTransaction&&) noexcept;

  /// Releases the snapshot; views and ranges of it are dead. Again: nothing.
  void end() noexcept;

 private:
  friend class Database;
  explicit ReadTransaction(std::shared_ptr<detail::TransactionTables> tables) noexcept;
  [[nodiscard]] detail::TransactionTables& tables() const override;
};

/// How one commit differs from the others of its handle.
struct CommitOptions {
  std::optional<Durability> durability{};  ///< the handle's, unless given
};

/// The store's one writer, of all processes: what Database::update lends, and commits when the function returns. What
/// it puts and erases is gathered in an ordered write set over the state it began from, and applied to the store by the
/// commit; its reads and ranges see its own writes.
/// Threads: only the one that began it; any other gets StateError{foreign}.
/// Crash:   before the commit returns, all of it or nothing; after, as its Durability says.
class HOLDFAST_API WriteTransaction : public Transaction {
 public:
  /// Rolls back what was not committed. On its own thread: destroyed elsewhere it cannot give back the store's write
  /// lock; instead of letting writers wait for ever, the store is poisoned, and to writers of other processes in use,
  /// until the thread that began the transaction destroys the last handle.
  ~WriteTransaction() override;
  WriteTransaction& operator=(WriteTransaction&&) = delete;

  /// Drops everything; in Database::update there is then nothing to commit. Again: nothing. Errors: StateError{foreign}
  /// on another thread.
  void rollback();

  /// What `use()` returns. When it throws, all that was written since, also to the tables themselves, is taken back,
  /// the transaction goes on as it was before, and the exception passes unchanged. Savepoints nest. Views lent before
  /// stay good; those of what was taken back do not. Errors: StateError{closed, foreign}. Within it
  /// LimitError{write_set_bytes}: nothing spills while it is open;
  ///         StateError{in_use} of a commit and of what writes to the store directly.
  /// Cost:   memory for what it overwrites.
  template <class F>
  auto savepoint(F&& use) -> std::invoke_result_t<F&> {
    Savepoint mark(*this);
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      use();
      mark.keep();
    } else {
      auto&& result = use();
      mark.keep();
      return std::forward<decltype(result)>(result);
    }
  }

 protected:
  explicit WriteTransaction(std::shared_ptr<detail::WriteState> state);
  WriteTransaction(WriteTransaction&&) noexcept;
  /// Errors: StateError{closed, foreign}.
  void require_own_thread() const;

  std::shared_ptr<detail::WriteState> state_;  ///< the same object as tables_

 private:
  friend class BulkLoader;
  friend class ByteTable;
  friend class Database;
  friend class detail::Migration;
  [[nodiscard]] detail::TransactionTables& tables() const override;

  /// Rolls back what was written while it lived, unless that is kept.
  class HOLDFAST_API Savepoint {
   public:
    explicit Savepoint(const WriteTransaction& txn);
    ~Savepoint();
    Savepoint(const Savepoint&) = delete;
    Savepoint& operator=(const Savepoint&) = delete;
    void keep() noexcept;

   private:
    std::shared_ptr<detail::WriteState> state_;  ///< null once kept
    std::size_t step_count_;                     ///< what had been written before
  };
};

/// A write transaction that its holder commits, from Database::begin_write.
class HOLDFAST_API CommittableTransaction final : public WriteTransaction {
 public:
  CommittableTransaction(CommittableTransaction&&) noexcept = default;

  /// Applies everything, or, when it throws, nothing; ended in either case. What the commit has reached: at least what
  /// was asked for (`unsynced` is `ordered` here), in memory `unsynced`.
  /// Errors: LimitError{map_reserve_bytes} when the store has to grow beyond its reservation, and transactions of this
  /// process did not end in time; IoError{ENOSPC, EDQUOT, EFBIG} when the disk is full: both leave the store as it was
  /// and usable. IoError of any other failure poisons the store. So does a full disk that refuses the last write of a
  /// commit, over a page that the file has already, as a file system that copies on write may: LMDB does not go on.
  /// What was acknowledged is there when the store is opened anew.
  Durability commit(const CommitOptions& options = {});

 private:
  friend class Database;
  CommittableTransaction(std::shared_ptr<detail::WriteState> state, Durability durability,
                         std::shared_ptr<detail::StoreWatch> watch)
      : WriteTransaction(std::move(state)), durability_(durability), watch_(std::move(watch)) {}

  Durability durability_;                      ///< the handle's
  std::shared_ptr<detail::StoreWatch> watch_;  ///< the handle's; null without an observer
};

}  // namespace holdfast
