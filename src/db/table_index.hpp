#pragma once

#include <memory>
#include <string>
#include <vector>

#include "db/catalogue.hpp"
#include "db/feed.hpp"
#include "db/lmdb_txn.hpp"

namespace holdfast::detail {

/// A table of a TableIndex, in which it lives.
struct IndexedTable {
  const std::string* name = nullptr;
  const TableRecord* record = nullptr;
  LmdbHandle handle = 0;  ///< 0 while the table is made by a transaction that has not committed yet
};

/// The tables of one state of the store, as this process uses them. Immutable, so that transactions share it.
class TableIndex {
 public:
  /// `handle_of` says the handle of a tree; 0 when there is none yet.
  template <class HandleOf>
  TableIndex(Catalogue catalogue, HandleOf&& handle_of) : serial_(next_serial()), catalogue_(std::move(catalogue)) {
    tables_.reserve(catalogue_.tables.size());
    for (const auto& [name, record] : catalogue_.tables) {
      tables_.push_back({.name = &name, .record = &record, .handle = handle_of(record.tree)});
    }
    if (catalogue_.has_expiring()) expiry_ = handle_of(expiry_tree);
    if (catalogue_.feed_begun_after)
      feed_ = {.handle = handle_of(feed_tree), .begun_after = *catalogue_.feed_begun_after};
  }
  TableIndex(const TableIndex&) = delete;
  TableIndex& operator=(const TableIndex&) = delete;

  /// Unique in the process, from 1: what a place in this index is remembered by.
  [[nodiscard]] std::uint64_t serial() const noexcept { return serial_; }
  [[nodiscard]] const Catalogue& catalogue() const noexcept { return catalogue_; }
  /// Of the expiry index; 0 when no table needs it, or while it is made by a transaction that has not committed yet.
  [[nodiscard]] LmdbHandle expiry() const noexcept { return expiry_; }
  [[nodiscard]] const FeedTree& feed() const noexcept { return feed_; }
  /// In the order of their names.
  [[nodiscard]] const std::vector<IndexedTable>& tables() const noexcept { return tables_; }
  /// Null when there is none of that name.
  [[nodiscard]] const IndexedTable* find(std::string_view name) const noexcept;

 private:
  static std::uint64_t next_serial() noexcept;

  std::uint64_t serial_;
  Catalogue catalogue_;
  std::vector<IndexedTable> tables_;
  LmdbHandle expiry_ = 0;
  FeedTree feed_;
};

}  // namespace holdfast::detail
