#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "db/store_directory.hpp"

namespace holdfast::detail {

class Environment;

/// Which stores this process has open: the library's one global. Stores are opened and closed under its lock, so that
/// none is ever open twice.
class Registry {
 public:
  using Lock = std::unique_lock<std::mutex>;

  [[nodiscard]] static Registry& instance();
  /// In the child of a fork, before it has a second thread: an empty registry; the parent's is left as it is.
  static void begin_anew();

  /// Held from the first look to add(), or to the failure.
  [[nodiscard]] Lock lock() { return Lock(mutex_); }
  /// The open environment of that store; null when there is none. Waits for one that is being closed.
  [[nodiscard]] std::shared_ptr<Environment> find(Lock& lock, const StoreIdentity& identity);
  /// `lock_table` is the file that LMDB locks and counts its transactions in.
  void add(const Lock& lock, const StoreIdentity& identity, const StoreIdentity& lock_table,
           const std::shared_ptr<Environment>& environment);
  /// Whether an open store has that lock table: a second data file on it would take the first one's transaction
  /// numbers for its own.
  [[nodiscard]] bool uses(const Lock& lock, const StoreIdentity& lock_table) const;
  /// Closes an environment that was added, whose last handle or transaction has ended.
  void close(const StoreIdentity& identity, std::unique_ptr<Environment> environment) noexcept;

  /// Keeps open for ever one that cannot be closed.
  void keep(const StoreIdentity& identity, std::unique_ptr<Environment> environment);

 private:
  std::mutex mutex_;
  std::condition_variable closed_;
  std::map<StoreIdentity, std::weak_ptr<Environment>> open_;
  std::map<StoreIdentity, StoreIdentity> lock_tables_;
  std::vector<std::shared_ptr<Environment>> kept_;
};

}  // namespace holdfast::detail
