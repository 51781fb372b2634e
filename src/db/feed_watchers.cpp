#include "db/feed_watchers.hpp"

#include <new>
#include <utility>

#include "db/feed_reader.hpp"

namespace holdfast::detail {
namespace {

constexpr std::size_t most_at_once = 256;  // changes read before the snapshot is let go and they are told

}  // namespace

void FeedWatcher::deliver(const std::shared_ptr<Environment>& environment) noexcept {
  if (!take()) return;
  while (goes_on()) {
    try {
      while (tell_some(environment)) {
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!ended_) failure_ = std::current_exception();
      ended_ = true;
    }
  }
}

bool FeedWatcher::take() noexcept {
  const std::lock_guard lock(mutex_);
  asked_ = true;
  if (ended_ || teller_ != std::thread::id()) return false;
  teller_ = std::this_thread::get_id();
  return true;
}

bool FeedWatcher::goes_on() noexcept {
  const std::lock_guard lock(mutex_);
  if (!ended_ && std::exchange(asked_, false)) return true;
  teller_ = {};
  idle_.notify_all();
  return false;
}

bool FeedWatcher::tell_some(const std::shared_ptr<Environment>& environment) {
  std::vector<FeedChange> changes;
  std::uint64_t read_up_to = position();
  std::size_t read = 0;
  {
    const auto snapshot = std::make_shared<ReadState>(environment, environment->options());
    ChangeRange range = read_changes(snapshot, read_up_to);
    for (const FeedChange& change : range) {
      read_up_to = change.sequence;
      if (concerns(change)) changes.push_back(change);
      if (++read == most_at_once) break;
    }
  }
  for (const FeedChange& change : changes) {
    if (!pass(change.sequence - 1)) return false;
    use_(change);
    if (!pass(change.sequence)) return false;
  }
  return pass(read_up_to) && read == most_at_once;
}

bool FeedWatcher::pass(std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  position_ = sequence;
  return !ended_;
}

/// Also of a table of this name that is there no more.
bool FeedWatcher::concerns(const FeedChange& change) {
  if (change.table == concern_.table) concern_.table_id = change.table_id;
  const bool renamed = !change.table.empty() && change.table != concern_.table;
  if (change.table_id != concern_.table_id || renamed) return false;
  return change.kind == ChangeKind::clear || as_text(change.key).starts_with(concern_.prefix);
}

void FeedWatcher::end() noexcept {
  std::unique_lock lock(mutex_);
  ended_ = true;
  if (teller_ == std::this_thread::get_id()) return;  // by the function itself
  idle_.wait(lock, [&] { return teller_ == std::thread::id(); });
}

std::uint64_t FeedWatcher::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

std::exception_ptr FeedWatcher::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void FeedWatchers::add(std::shared_ptr<FeedWatcher> watcher) {
  const std::lock_guard lock(mutex_);
  watchers_.push_back(std::move(watcher));
  count_ = watchers_.size();
}

void FeedWatchers::remove(const FeedWatcher* watcher) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [&](const auto& known) { return known.get() == watcher; });
  count_ = watchers_.size();
}

void FeedWatchers::deliver(const std::shared_ptr<Environment>& environment) noexcept {
  if (count_.load() == 0) return;
  std::vector<std::shared_ptr<FeedWatcher>> told;
  try {
    const std::lock_guard lock(mutex_);
    told = watchers_;
  } catch (const std::bad_alloc&) {
    return;  // the next commit tells
  }
  for (const auto& watcher : told) watcher->deliver(environment);
}

}  // namespace holdfast::detail
