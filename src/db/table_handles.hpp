#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "db/catalogue.hpp"
#include "db/lmdb_txn.hpp"
#include "holdfast/core/function_ref.hpp"

namespace holdfast::detail {

/// LMDB's handles of the tables, opened once per process, and the catalogue last read.
/// A transaction can use a handle only if it was open when the transaction began, and two transactions that open
/// handles at once would take the same one: so handles are opened under a lock, either in a transaction of their own,
/// or in the one write transaction, during which no table can appear that would have to be opened elsewhere.
/// Threads: all methods may be called at once.
class TableHandles {
 public:
  /// How many handles have been opened. A transaction that saw the same number before it began and after it read the
  /// catalogue can use them all.
  [[nodiscard]] std::uint64_t opened() const noexcept { return opened_.load(); }
  [[nodiscard]] LmdbHandle handle(std::uint64_t table_id) const;

  /// The newest catalogue remembered; null before the first.
  [[nodiscard]] std::shared_ptr<const Catalogue> cached() const;
  void remember(std::shared_ptr<const Catalogue> catalogue);

  /// Opens what `catalogue` names and is not open yet.
  void open_missing(const std::shared_ptr<Environment>& environment, const Catalogue& catalogue);

  /// Makes the LMDB databases of new tables in `txn`, lets `commit` use them and commit it, and keeps the handles
  /// unless that throws.
  void create(WriteBase& txn, const std::vector<std::uint64_t>& table_ids,
              FunctionRef<void(const std::vector<LmdbHandle>&)> commit);

 private:
  mutable std::mutex mutex_;  ///< of the handles
  std::unordered_map<std::uint64_t, LmdbHandle> handles_;
  std::atomic<std::uint64_t> opened_{0};
  mutable std::mutex cache_mutex_;
  std::shared_ptr<const Catalogue> cached_;
};

}  // namespace holdfast::detail
