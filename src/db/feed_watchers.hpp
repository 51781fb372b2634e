#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "holdfast/db/feed.hpp"

namespace holdfast::detail {

class Environment;

/// One function and what it is to be told of the feed, which it reads from where it stands: so what is told is what is
/// stored, in that order, whoever committed it.
/// Threads: all methods may be called at once; one of those that deliver tells, the others leave it to that one.
class FeedWatcher {
 public:
  struct Concern {
    std::string table{};
    std::uint64_t table_id = 0;  ///< 0 while there is no such table
    std::string prefix{};
  };
  FeedWatcher(Concern concern, std::function<void(const FeedChange&)> use, std::uint64_t position)
      : concern_(std::move(concern)), use_(std::move(use)), position_(position) {}

  /// No lock may be held.
  void deliver(const std::shared_ptr<Environment>& environment) noexcept;
  /// As Watch::end().
  void end() noexcept;
  [[nodiscard]] std::uint64_t position() const;
  [[nodiscard]] std::exception_ptr failure() const;

 private:
  /// Whether it is this thread's to tell.
  [[nodiscard]] bool take() noexcept;
  /// Whether there is something that the one who tells has not looked for yet; otherwise he is that no more.
  [[nodiscard]] bool goes_on() noexcept;
  /// Whether there may be more.
  bool tell_some(const std::shared_ptr<Environment>& environment);
  /// Whether it is told still.
  bool pass(std::uint64_t sequence);
  [[nodiscard]] bool concerns(const FeedChange& change);

  Concern concern_;  ///< the teller's alone
  const std::function<void(const FeedChange&)> use_;
  mutable std::mutex mutex_;  ///< of what follows; never held while the function runs
  std::condition_variable idle_;
  std::thread::id teller_;  ///< nobody while nobody tells
  bool asked_ = false;      ///< to look at the feed again
  bool ended_ = false;
  std::uint64_t position_;
  std::exception_ptr failure_;
};

/// All of an environment. Without any a commit costs one load more.
class FeedWatchers {
 public:
  void add(std::shared_ptr<FeedWatcher> watcher);
  void remove(const FeedWatcher* watcher) noexcept;
  /// After a commit, with no lock held.
  void deliver(const std::shared_ptr<Environment>& environment) noexcept;

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<FeedWatcher>> watchers_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace holdfast::detail
