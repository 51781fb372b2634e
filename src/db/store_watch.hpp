#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "db/reader_slots.hpp"
#include "holdfast/db/observer.hpp"
#include "holdfast/db/options.hpp"

namespace holdfast::detail {

class Environment;

/// What a handle's observer has been told.
/// Threads: all methods may be called at once.
class StoreWatch {
 public:
  StoreWatch(std::shared_ptr<Environment> environment, const DatabaseOptions& options);

  /// Looks at the store and tells what is new. After a commit, with no lock held: it never throws, for the commit is
  /// done.
  void look() noexcept;

 private:
  using Reader = std::pair<std::int64_t, std::uint64_t>;  ///< process and snapshot

  void tell_growth();
  void tell_ages();
  void tell_commits(const OldestReader& oldest);

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<DatabaseObserver> observer_;
  std::chrono::nanoseconds old_age_;
  std::uint64_t old_commits_;
  std::mutex mutex_;  ///< of what follows
  std::uint64_t map_bytes_;
  std::vector<SeenReader> told_by_age_;  ///< of those that read when it last looked
  Reader told_by_commits_;
};

}  // namespace holdfast::detail
