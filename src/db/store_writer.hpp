#pragma once

#include <filesystem>
#include <string>

#include "db/catalogue.hpp"
#include "db/environment.hpp"

struct MDB_txn;

namespace holdfast::detail {

/// Makes a data file, tree by tree, each in key order, so that its pages are full and follow each other. Nothing is
/// synced: the file is nobody's until it is published.
/// Errors: of every call IoError; CorruptionError for keys out of order.
class StoreWriter {
 public:
  explicit StoreWriter(std::filesystem::path data);
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  /// What is appended from here on goes to the LMDB database of that name, which is made.
  void begin_tree(const std::string& name);
  /// The same of a table. What is appended to one whose entries expire is indexed, too.
  /// Errors of append also: CorruptionError for a row without a deadline.
  void begin_table(const TableRecord& record);
  void append(ByteView stored_key, ByteView stored_value);
  /// The tree `holdfast.meta` of a store of these tables, and that of its change feed, which holds nothing yet.
  void write_meta(const StoreId& id, const Catalogue& catalogue);
  /// Commits what is there; nothing may follow.
  void finish();

 private:
  void begin();
  void commit();
  void index(ByteView stored_key, ByteView stored_value);

  std::filesystem::path data_;
  LmdbEnvironment lmdb_;
  MDB_txn* txn_ = nullptr;
  LmdbHandle tree_ = 0;
  LmdbHandle expiry_ = 0;
  std::uint64_t expiring_id_ = 0;  ///< of the table that is written; 0 when its entries do not expire
  std::uint64_t uncommitted_bytes_ = 0;
};

}  // namespace holdfast::detail
