#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "holdfast/core/durability.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/db/options.hpp"

namespace holdfast::detail {

class Environment;
class WriteBase;

/// A write that shares its commit with others. It needs no thread of its own: one caller may bring many.
struct GroupMember {
  /// Judges what it requires, against the state after the members before it, then writes. It is called again when the
  /// map had to grow, and when the group could not be committed as a whole: it is data, never user code.
  /// Errors: ConflictError, thrown before it has written anything, leaves out this member alone.
  FunctionRef<void(WriteBase&)> apply;
  Durability durability = Durability::synced;
  std::exception_ptr failure{};  ///< this member's own, once the call has returned; null when it is committed
  bool settled = false;          ///< the library's own: it is not tried again
};

/// How many commits were shared, and by how many.
struct GroupCounts {
  std::uint64_t groups = 0;
  std::uint64_t members = 0;
  std::uint64_t largest = 0;
};

/// Callers that write at the same time share one transaction and one sync. Who comes first leads: he waits for the
/// store's turn to write, takes all who have come by then, applies their members in order, commits, and hands the lead
/// on before he wakes the others. Each caller returns when its own writes are durable. What a group waits for, it waits
/// for as long as the least patient of its callers; the others come again, each alone, with what time they have left.
/// Threads: all methods may be called at once.
class GroupCommit {
 public:
  /// A leader waits at most `wait` for as many callers as are known to be about.
  explicit GroupCommit(std::chrono::microseconds wait) noexcept : wait_(wait) {}

  /// Commits `members`, each for itself. The group has the strongest durability that was asked for in it.
  /// Errors: of the store's state, before anything is tried: StateError{would_deadlock} at once, when this thread has
  /// the turn to write; {in_use} when it has not come after options.busy_timeout; {poisoned, forked}. What comes later
  /// is each member's own failure: LimitError{map_reserve_bytes} when the map could not grow in that time.
  void commit(const std::shared_ptr<Environment>& environment, std::span<GroupMember> members,
              const DatabaseOptions& options);

  [[nodiscard]] GroupCounts counts() const;
  /// How many callers are not in a group yet.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Caller;
  struct Group;

  /// Comes into a group, as its leader or not, and returns when that is through.
  void join(const std::shared_ptr<Environment>& environment, Caller& self);
  /// Whether it was still waiting.
  bool withdraw(Caller& caller);
  void lead(const std::shared_ptr<Environment>& environment, Caller& leader);
  /// Everybody who waits, the leader first; those who come again are alone.
  [[nodiscard]] Group gather(Caller& leader);
  /// The next in the queue leads now. Under the mutex: meanwhile he cannot withdraw.
  void hand_on() noexcept;

  const std::chrono::microseconds wait_;
  mutable std::mutex mutex_;
  std::condition_variable enough_;  ///< of interest to the leader alone
  std::deque<Caller*> queue_;       ///< its front leads, when anybody does
  bool led_ = false;
  std::size_t expected_ = 1;  ///< callers that may be about to come
  GroupCounts counts_;
};

}  // namespace holdfast::detail
