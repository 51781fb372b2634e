#include "db/store_watch.hpp"

#include "db/environment.hpp"
#include "db/store_stats.hpp"

namespace holdfast::detail {

StoreWatch::StoreWatch(std::shared_ptr<Environment> environment, const DatabaseOptions& options)
    : environment_(std::move(environment)),
      observer_(options.observer),
      old_age_(options.old_reader_age),
      old_commits_(options.old_reader_commits),
      map_bytes_(environment_->map().bytes()) {}

void StoreWatch::look() noexcept {
  try {
    tell_growth();
    const auto oldest = count_readers(*environment_).oldest;
    if (!oldest) return;
    if (oldest->age && *oldest->age >= old_age_) tell_reader(*oldest, ReaderThreshold::age);
    if (oldest->commits >= old_commits_) tell_reader(*oldest, ReaderThreshold::commits);
  } catch (const std::exception&) {
    // The store was poisoned since, or memory is short: the next call of the store's user says so.
  }
}

void StoreWatch::tell_growth() {
  std::uint64_t from = 0;
  const std::uint64_t to = environment_->map().bytes();
  {
    const std::lock_guard lock(mutex_);
    from = std::exchange(map_bytes_, to);
  }
  if (to > from) observer_->map_grew(from, to);
}

void StoreWatch::tell_reader(const OldestReader& reader, ReaderThreshold passed) {
  {
    const std::lock_guard lock(mutex_);
    const Reader seen{reader.process_id, reader.snapshot};
    if (const auto [told, first] = told_.try_emplace(passed, seen); !first) {
      if (told->second == seen) return;
      told->second = seen;
    }
  }
  observer_->reader_is_old(reader, passed);
}

}  // namespace holdfast::detail
