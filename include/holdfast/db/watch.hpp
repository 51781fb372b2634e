#pragma once

#include <cstdint>
#include <exception>
#include <memory>

#include "holdfast/core/export.hpp"

namespace holdfast {

namespace detail {
class Environment;
class FeedWatcher;
}  // namespace detail

/// A function that is told the changes of one table whose keys begin with a prefix, and each clear of it, after they
/// were committed: made by Database::watch(), and told as long as this lives. It keeps its store open.
/// Order:   each change once, in the order of the feed, never two at a time. It is called on threads that commit, with
///          no lock held and no transaction open: it may read, write, and end its own watch; what it writes is told
///          after it has returned. While it runs on one thread, others that commit leave their changes to it.
/// Others:  commits of other processes are told with the next commit of this one, or by deliver().
/// Errors:  what the function throws ends the watch, after the commit: committing never fails over it. So does what
///          keeps the feed from being read: RestoreError{not_retained} when changes were pruned before they were told.
///          Both are failure().
/// Threads: all methods may be called at once. In a child of fork() nothing is told.
class HOLDFAST_API Watch {
 public:
  ~Watch();
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;

  /// Tells no more. Waits for the function while another thread runs it: what it uses can be destroyed after.
  /// Again: nothing.
  void end() noexcept;
  /// Tells now, on this thread, what was committed by anyone and is not told yet.
  void deliver();
  /// The number of the last change that the function has returned from, or that it need not be told: where another
  /// watch or follower can go on.
  [[nodiscard]] std::uint64_t position() const;
  /// What ended it; null while it goes on, and after end().
  [[nodiscard]] std::exception_ptr failure() const;

 private:
  friend class Database;
  Watch(std::shared_ptr<detail::Environment> environment, std::shared_ptr<detail::FeedWatcher> watcher);

  std::shared_ptr<detail::Environment> environment_;
  std::shared_ptr<detail::FeedWatcher> watcher_;
};

}  // namespace holdfast
