#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

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
  void tell_reader(const OldestReader& reader, ReaderThreshold passed);

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<DatabaseObserver> observer_;
  std::chrono::nanoseconds old_age_;
  std::uint64_t old_commits_;
  std::mutex mutex_;  ///< of what follows
  std::uint64_t map_bytes_;
  std::map<ReaderThreshold, Reader> told_;
};

}  // namespace holdfast::detail
