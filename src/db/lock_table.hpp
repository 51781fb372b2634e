#pragma once

#include <filesystem>
#include <memory>

#include "db/fork_guard.hpp"
#include "db/store_directory.hpp"

struct MDB_env;

namespace holdfast::detail {

/// Our hold on lock.mdb, LMDB's table of readers. LMDB shows with POSIX locks on it that somebody has the store open,
/// and which processes read; but those are gone as soon as any code of the process closes any descriptor of the file (a
/// copy of the directory is enough), and the next process to open the store takes the table for nobody's, its readers
/// for dead, and their pages for free. So the same bytes are held through a descriptor of our own that lasts.
class LockTable {
 public:
  LockTable() = default;  ///< no hold
  /// For an environment that has just been opened. Errors: IoError, and as mdb_txn_begin.
  LockTable(const StoreDirectory& directory, MDB_env* environment);

  /// Which file it is; nothing without a hold.
  [[nodiscard]] StoreIdentity identity() const noexcept { return identity_; }

 private:
  ProcessFile file_;
  StoreIdentity identity_{};
};

}  // namespace holdfast::detail
