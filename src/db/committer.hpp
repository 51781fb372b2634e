#pragma once

#include <future>
#include <memory>

#include "holdfast/core/write_batch.hpp"
#include "holdfast/db/table.hpp"
#include "holdfast/db/time_to_live.hpp"

namespace holdfast {
class Database;
}

namespace holdfast::detail {

/// The thread behind Database::write_async: while it commits what has gathered, the next gathers.
/// Threads: all methods may be called at once, the destructor last.
class Committer {
 public:
  /// The database must outlive it. The first batch starts the thread.
  explicit Committer(Database& database);
  /// Commits what is left and waits for it. In a child of fork(), where there is no such thread, it does nothing.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// As Database::write_async.
  [[nodiscard]] std::future<void> submit(const ByteTable& table, WriteBatch batch, TimeToLive ttl);

 private:
  struct Job;
  struct Shared;

  std::unique_ptr<Shared> shared_;  ///< in one piece, so that a child of fork() can leave it to its parent
};

}  // namespace holdfast::detail
