#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "db/lmdb_txn.hpp"
#include "db/table_index.hpp"
#include "db/write_set.hpp"

namespace holdfast::detail {

/// A table in a write transaction: what LMDB has of it, and what was written over that.
struct TableWrites {
  TableWrites(LmdbHandle tree_handle, std::unique_ptr<LmdbView> view)
      : handle(tree_handle), stored(std::move(view)), merged(stored.get(), set) {}

  /// What was stored and what was written is gone; what was written.
  WriteSet clear() noexcept {
    cleared = true;
    WriteSet gone = std::exchange(set, {});
    merged.rebase(nullptr);
    return gone;
  }
  /// Its writes have gone to LMDB.
  void settle(LmdbHandle tree_handle, std::unique_ptr<LmdbView> view) noexcept {
    handle = tree_handle;
    stored = std::move(view);
    cleared = false;
    set = {};
    merged.rebase(stored.get());
  }

  std::uint64_t flags = 0;           ///< of its record
  LmdbHandle handle;                 ///< 0 while LMDB has nothing of it
  std::unique_ptr<LmdbView> stored;  ///< null while LMDB has nothing of it
  bool cleared = false;              ///< LMDB's part must be emptied before the set is applied
  WriteSet set;
  MergedView merged;
};

/// How to take back what a write transaction did since a savepoint, newest last.
class UndoLog {
 public:
  [[nodiscard]] bool is_recording() const noexcept { return open_marks_ > 0; }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

  /// From now on it remembers; how many steps it has so far.
  [[nodiscard]] std::size_t mark() noexcept {
    ++open_marks_;
    return steps_.size();
  }
  /// What was done since a mark stays, until an outer one is rolled back.
  void release() noexcept;
  /// Takes back what was done after those steps, and releases the mark. `index` is the transaction's.
  void roll_back(std::size_t step_count, std::shared_ptr<const TableIndex>& index) noexcept;

  /// Each does what it says, and remembers how it was before.
  void write(TableWrites& table, ByteView key, Write write);
  void clear(TableWrites& table);
  void replace(std::shared_ptr<const TableIndex>& index, std::shared_ptr<const TableIndex> changed);

 private:
  struct OldKey {
    TableWrites* table;
    Bytes key;
    std::optional<Write> before;
  };
  struct OldTable {
    TableWrites* table;
    WriteSet set;
    bool cleared;
  };
  using Step = std::variant<OldKey, OldTable, std::shared_ptr<const TableIndex>>;

  [[nodiscard]] static std::uint64_t size_of(const Step& step) noexcept;
  static void take_back(Step step, std::shared_ptr<const TableIndex>& index) noexcept;
  void remember(Step step);

  std::vector<Step> steps_;
  std::size_t open_marks_ = 0;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace holdfast::detail
