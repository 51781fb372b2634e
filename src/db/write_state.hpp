#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "db/table_binding.hpp"
#include "db/table_writes.hpp"
#include "db/transaction_tables.hpp"
#include "holdfast/core/durability.hpp"

namespace holdfast::detail {

class EntryBatch;

/// The tables of a write transaction: a write set over each that was used, and the changes of the tables themselves.
/// All of it is data that the commit applies. Sets that grow beyond `write_set_bytes` are spilled: applied to the LMDB
/// transaction, whose state the emptied sets then stand over.
class WriteState final : public TransactionTables {
 public:
  /// Errors: as WriteBase.
  WriteState(const std::shared_ptr<WriterTurn>& turn, const DatabaseOptions& options, const Deadline& deadline)
      : WriteState(begin(turn, deadline), options) {}
  /// A part of a transaction that has other parts too: what it writes is seen by those after it once it has settled,
  /// and the transaction's end is not its own. No table can be made, dropped or renamed in it, and nothing spills.
  /// Null when this process has to read the catalogue or open a table first, which another transaction does.
  [[nodiscard]] static std::shared_ptr<WriteState> part_of(WriteBase& whole, const DatabaseOptions& options);
  /// Of a part: writes what it has gathered. Errors: those of WriteBase, which leave the whole fit for nothing.
  void settle() { apply(); }

  [[nodiscard]] const Environment& environment() const noexcept override { return *base_->environment(); }
  [[nodiscard]] std::optional<ByteView> get(const IndexedTable& table, ByteView stored_key) override {
    return live(table, row(table, stored_key));
  }
  [[nodiscard]] std::optional<ByteView> row(const IndexedTable& table, ByteView stored_key) override {
    return writes_of(table).merged.get(stored_key);
  }
  [[nodiscard]] std::uint64_t count(const IndexedTable& table) override;
  [[nodiscard]] std::unique_ptr<OrderedCursor> cursor(const IndexedTable& table) override {
    return live(table, writes_of(table).merged.cursor());
  }
  [[nodiscard]] std::unique_ptr<OrderedCursor> feed_rows() override {
    return feed_.handle != 0 ? LmdbView(base_, feed_.handle).cursor() : nullptr;
  }
  void end() noexcept override {
    ended_ = true;
    if (!is_part_) base_->end();
    opening_.reset();
  }
  [[nodiscard]] std::uint64_t write_set_bytes() const noexcept { return write_set_bytes_; }
  [[nodiscard]] bool on_own_thread() const noexcept { return base_->on_own_thread(); }

  /// Errors: StateError{mismatched}; LimitError{max_tables} when the table would be one too many; {write_set_bytes}
  /// while a savepoint is open; as of a commit, where the write spills: then the transaction is ended.
  void put(const TableBinding& binding, ByteView stored_key, ByteView value, UnixMs deadline = never,
           Wrote wrote = Wrote::entry);
  /// The table, made where it is missing; good until tables change.
  [[nodiscard]] const IndexedTable& made(const TableBinding& binding);
  /// Puts entries whose keys ascend into a table without flags, past its write set: into the LMDB transaction, after
  /// all that was written before. Errors: StateError{in_use} while a savepoint is open; as put() where it spills.
  void put_ascending(const TableBinding& binding, const EntryBatch& entries);
  void erase(const IndexedTable& table, ByteView stored_key);
  /// The keys of up to `limit` entries that are due, earliest deadline first.
  [[nodiscard]] std::vector<Bytes> due(const IndexedTable& table, std::uint64_t limit);
  void clear(const IndexedTable& table);
  void drop(const IndexedTable& table);
  void rename(const IndexedTable& table, std::string_view name);

  /// Errors: StateError{in_use}, naming `what` cannot be.
  void require_no_savepoint(const char* what) const;
  [[nodiscard]] std::size_t begin_savepoint() noexcept { return undo_.mark(); }
  void keep_savepoint() noexcept { undo_.release(); }
  void roll_back_savepoint(std::size_t step_count) noexcept;

  /// What it has reached. Ended only when it succeeds.
  Durability commit(Durability asked);
  /// After the commit.
  void tell_watchers() const noexcept { base_->environment()->watchers().deliver(base_->environment()); }

 private:
  struct Begun {
    std::shared_ptr<WriteBase> base{};
    std::shared_ptr<const TableIndex> index{};
  };
  [[nodiscard]] static Begun begin(const std::shared_ptr<WriterTurn>& turn, const Deadline& deadline);
  WriteState(Begun begun, const DatabaseOptions& options);
  [[nodiscard]] TableWrites& writes_of(const IndexedTable& table);
  void put_row(const IndexedTable& table, ByteView stored_key, ByteView stored, Wrote wrote);
  void replace_tables(Catalogue catalogue);
  void require_room(std::uint64_t added_bytes) const;
  void spill_if_full();
  void spill();
  [[nodiscard]] bool is_gathered() const noexcept;
  [[nodiscard]] bool is_changed() const noexcept { return spilled_ || index_ != begun_ || is_gathered(); }
  void open_turn();
  void open_made();
  /// FeedLog::commit().
  std::uint64_t apply();
  void apply_catalogue();

  std::shared_ptr<WriteBase> base_;
  std::shared_ptr<const TableIndex> begun_;
  std::map<std::uint64_t, TableWrites> writes_;  ///< by id, so that what frees a tree comes before what takes it
  UndoLog undo_;
  std::optional<TableHandles::Opening> opening_;
  LmdbHandle expiry_ = 0;  ///< 0 while LMDB has no expiring table
  FeedTree feed_;
  FeedRetention feed_retention_;
  std::uint64_t feed_commit_ = 0;  ///< of what was spilled
  std::shared_ptr<const Clock> clock_;
  std::chrono::milliseconds busy_timeout_;  ///< the growth's, when it commits
  std::uint64_t write_set_bytes_;
  std::uint64_t sets_bytes_ = 0;
  bool spilled_ = false;
  bool is_part_ = false;
};

}  // namespace holdfast::detail
