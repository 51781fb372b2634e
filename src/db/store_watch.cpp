#include "db/store_watch.hpp"

#include <unistd.h>

#include <algorithm>

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
    tell_ages();
    const auto oldest = count_readers(*environment_).oldest;
    if (oldest && oldest->commits >= old_commits_) tell_commits(*oldest);
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

void StoreWatch::tell_ages() {
  environment_->require_sound();
  const auto now = environment_->options().clock->steady_now();
  std::vector<SeenReader> old = environment_->readers().look(now);
  std::erase_if(old, [&](const SeenReader& reader) { return reader.age(now) < old_age_; });
  std::vector<SeenReader> news = old;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(news, [&](const SeenReader& reader) { return std::ranges::count(told_by_age_, reader) > 0; });
    told_by_age_ = std::move(old);
  }
  if (news.empty()) return;
  const std::uint64_t last_commit = environment_->last_commit();
  for (const SeenReader& reader : news)
    observer_->reader_is_old({.snapshot = reader.snapshot,
                              .commits = std::max(last_commit, reader.snapshot) - reader.snapshot,
                              .process_id = ::getpid(),
                              .age = reader.age(now)},
                             ReaderThreshold::age);
}

void StoreWatch::tell_commits(const OldestReader& oldest) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(told_by_commits_, {oldest.process_id, oldest.snapshot}) ==
        Reader(oldest.process_id, oldest.snapshot))
      return;
  }
  observer_->reader_is_old(oldest, ReaderThreshold::commits);
}

}  // namespace holdfast::detail
