#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <semaphore>
#include <unordered_map>
#include <vector>

#include "db/lmdb_txn.hpp"
#include "db/table_index.hpp"

namespace holdfast::detail {

/// LMDB's handles of the trees that hold tables, opened once per process and never closed, and the index last made.
/// A transaction can use a handle only if it was open when the transaction began, and two transactions that open
/// handles at once would take the same one: so there is one turn to open them, taken by a transaction that does nothing
/// else, or by the one write transaction until it has ended, however long that takes once it has spilled. It keeps
/// nobody waiting: when it began it opened every tree of the store's state, and no other can appear while it lives.
/// (But for a reader that began just before, on an older state, with a tree never opened here whose table another
/// process has dropped since.)
/// Threads: all methods may be called at once.
class TableHandles {
 public:
  using Handles = std::unordered_map<std::uint64_t, LmdbHandle>;  ///< by tree

  /// How many handles have been opened. A transaction that saw the same number before it began and after it read the
  /// catalogue can use them all.
  [[nodiscard]] std::uint64_t opened() const noexcept { return opened_.load(); }

  /// The newest index remembered; null before the first.
  [[nodiscard]] std::shared_ptr<const TableIndex> cached() const;
  void remember(std::shared_ptr<const TableIndex> index);

  /// The index of `catalogue`, whose trees are opened where they are not open yet.
  [[nodiscard]] std::shared_ptr<const TableIndex> index_of(const std::shared_ptr<Environment>& environment,
                                                           Catalogue catalogue);

  /// The turn to open trees in the write transaction, and what it has opened there: good in it alone until it has
  /// committed, then kept.
  class Opening {
   public:
    explicit Opening(TableHandles& handles) : handles_(&handles) { handles_->turn_.acquire(); }
    ~Opening() { handles_->turn_.release(); }
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;

    /// Makes the tree where it is missing. Again, where the LMDB transaction was begun again.
    LmdbHandle open(const WriteBase& txn, std::uint64_t tree);
    void keep() { handles_->keep(opened_); }

   private:
    TableHandles* handles_;
    Handles opened_;
  };

 private:
  [[nodiscard]] bool has_all(const std::vector<std::uint64_t>& trees) const;
  void open_missing(const std::shared_ptr<Environment>& environment, const Catalogue& catalogue);
  void keep(const Handles& opened);

  std::binary_semaphore turn_{1};  ///< to open handles; not a mutex: a transaction may be destroyed anywhere
  mutable std::mutex mutex_;
  Handles handles_;
  std::shared_ptr<const TableIndex> cached_;
  std::atomic<std::uint64_t> opened_{0};
};

}  // namespace holdfast::detail
