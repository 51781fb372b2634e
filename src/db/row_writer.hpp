#pragma once

#include <optional>

#include "db/catalogue.hpp"
#include "db/expiry.hpp"
#include "db/feed.hpp"
#include "db/lmdb_txn.hpp"
#include "db/write_set.hpp"

namespace holdfast::detail {

/// Where the rows of a table are.
struct TableRows {
  std::uint64_t table_id = 0;
  std::uint64_t flags = 0;  ///< of its record
  LmdbHandle handle = 0;
};

/// Writes rows of tables into an LMDB transaction, each together with what follows from it: a row, its place in the
/// expiry index where entries expire, and its change in the feed where the table has one, are written in one
/// transaction or not at all. Every row of a table is written here, but those that BulkLoader puts into a table without
/// flags, from which nothing follows.
/// Threads: as the transaction.
class RowWriter {
 public:
  /// `index`: the expiry index; 0 where no table needs it. `feed`: of this transaction; nobody asks it for a table
  /// without one.
  RowWriter(WriteBase& txn, LmdbHandle index, FeedLog& feed) noexcept : txn_(&txn), index_(index), feed_(&feed) {}

  /// `stored`: the row as the table stores it, or nothing: erased. `wrote` says what of the entry is new in it.
  void write(const TableRows& table, ByteView key, std::optional<ByteView> stored, Wrote wrote = Wrote::entry);
  void apply(const TableRows& table, const WriteSet& set);
  /// Erases all rows. Cost: of their pages, and of each row that has a deadline.
  void clear(const TableRows& table);

 private:
  /// Whether anything was changed.
  bool write_row(LmdbHandle handle, ByteView key, std::optional<ByteView> stored);
  void move_deadline(std::uint64_t table_id, ByteView key, UnixMs before, UnixMs after);
  [[nodiscard]] LmdbView view(LmdbHandle handle) const;

  WriteBase* txn_;
  LmdbHandle index_;
  FeedLog* feed_;
};

}  // namespace holdfast::detail
