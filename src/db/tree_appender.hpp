#pragma once

#include "db/lmdb_txn.hpp"

struct MDB_cursor;

namespace holdfast::detail {

/// Puts entries whose keys ascend into a tree. Behind its last key they are appended: no page is searched for, and none
/// is split, so that pages are full. Nothing else may use the transaction while this lives.
class TreeAppender {
 public:
  TreeAppender(WriteBase& txn, LmdbHandle handle);
  ~TreeAppender();
  TreeAppender(const TreeAppender&) = delete;
  TreeAppender& operator=(const TreeAppender&) = delete;

  /// Errors: as WriteBase::put().
  void put(ByteView stored_key, ByteView stored);

 private:
  const Environment* environment_;
  MDB_cursor* cursor_ = nullptr;
  Bytes last_;  ///< the tree's key that none may be behind to be appended; empty once that is so for all that follow
};

}  // namespace holdfast::detail
