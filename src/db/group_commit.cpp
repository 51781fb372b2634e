#include "db/group_commit.hpp"

#include <algorithm>
#include <utility>

#include "db/deadline.hpp"
#include "db/environment.hpp"
#include "db/lmdb_txn.hpp"
#include "db/own_copy.hpp"
#include "db/wake_word.hpp"
#include "db/writer_turn.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

using Members = std::vector<GroupMember*>;

/// All or nothing, but for members that a conflict leaves out. Errors: what kept the commit from happening.
void commit_together(WriteBase& txn, const Members& members, const Deadline& deadline) {
  Durability strongest = Durability::unsynced;
  for (const GroupMember* member : members) strongest = std::min(strongest, member->durability);
  const auto apply = [&] {
    for (GroupMember* member : members) {
      member->failure = nullptr;
      try {
        member->apply(txn);
      } catch (const ConflictError&) {
        member->failure = std::current_exception();
      }
    }
  };
  txn.apply_and_commit(apply, strongest, deadline);
  for (GroupMember* member : members) member->settled = true;
}

/// Whether time may help.
bool lacks_map(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const LimitError& error) {
    return error.facts().limit == "map_reserve_bytes";
  } catch (...) {
    return false;
  }
}

enum Progress : std::uint32_t { waits, leads, settled };

}  // namespace

struct GroupCommit::Caller {
  std::span<GroupMember> members;
  const DatabaseOptions& options;
  Deadline deadline{options.clock, options.busy_timeout};
  WakeWord progress{waits};
  bool taken = false;  ///< into a group; guarded by the mutex
  bool again = false;  ///< a group was not the place to wait for what it needs

  [[nodiscard]] bool is_settled() const {
    return std::ranges::all_of(members, [](const GroupMember& member) { return member.settled; });
  }

  /// What fails as a group may pass one by one: a member too large for one transaction fails nobody else. One that
  /// fails for want of room in the map stays open as long as its caller has time left.
  void commit_each(const std::shared_ptr<WriterTurn>& turn, const Deadline& wait) {
    for (GroupMember& member : members) {
      if (member.settled) continue;
      try {
        WriteBase txn(turn, wait);
        commit_together(txn, {&member}, wait);
      } catch (...) {
        member.failure = std::current_exception();
        member.settled = again || deadline.has_passed() || !lacks_map(member.failure);
      }
    }
  }
};

struct GroupCommit::Group {
  std::vector<Caller*> callers;
  Members members;

  void add(Caller& caller) {
    callers.push_back(&caller);
    for (GroupMember& member : caller.members)
      if (!member.settled) members.push_back(&member);
  }

  void commit(const std::shared_ptr<WriterTurn>& turn, WriteBase& txn) {
    const auto left = [](const Caller* caller) { return caller->deadline.left(); };
    try {
      commit_together(txn, members, std::ranges::min(callers, {}, left)->deadline);
    } catch (...) {
      const auto failure = std::current_exception();
      const bool together = members.size() == 1 || turn->environment()->poisoned();
      for (GroupMember* member : members) {
        member->failure = own_copy(failure);
        member->settled = together;
      }
      if (together) return;
      // Nobody waits for what another needs.
      const Deadline at_once(system_clock(), {});
      for (Caller* caller : callers) caller->commit_each(turn, callers.size() == 1 ? caller->deadline : at_once);
    }
  }
};

void GroupCommit::commit(const std::shared_ptr<Environment>& environment, std::span<GroupMember> members,
                         const DatabaseOptions& options) {
  environment->require_sound();
  WriterTurn::require_none(*environment);
  Caller self{.members = members, .options = options};
  join(environment, self);
  try {
    for (self.again = true; !self.is_settled();) join(environment, self);
  } catch (...) {
    // The turn did not come again: what is open keeps the failure that it has.
  }
}

void GroupCommit::join(const std::shared_ptr<Environment>& environment, Caller& self) {
  {
    const std::lock_guard lock(mutex_);
    self.taken = false;
    self.progress.change_to(waits);
    queue_.push_back(&self);
    if (!std::exchange(led_, true)) self.progress.change_to(leads);
    if (queue_.size() == expected_) enough_.notify_one();
  }
  while (self.progress.value() == waits) {
    auto nap = self.deadline.nap();
    if (self.deadline.has_passed()) {
      if (withdraw(self)) WriterTurn::throw_in_use(*environment, self.deadline, "other threads of this process write");
      nap = std::chrono::seconds(1);  // taken: what has begun is waited for
    }
    self.progress.sleep_while(waits, nap);
  }
  if (self.progress.value() == leads) lead(environment, self);
}

bool GroupCommit::withdraw(Caller& caller) {
  const std::lock_guard lock(mutex_);
  if (caller.taken || caller.progress.value() != waits) return false;
  std::erase(queue_, &caller);
  return true;
}

void GroupCommit::lead(const std::shared_ptr<Environment>& environment, Caller& leader) {
  Group group;
  try {
    const auto turn = WriterTurn::take(environment, leader.deadline);
    WriteBase txn(turn, leader.deadline);
    group = gather(leader);
    group.commit(turn, txn);
  } catch (...) {  // nothing was begun
    const std::lock_guard lock(mutex_);
    std::erase(queue_, &leader);
    hand_on();
    throw;
  }
  {
    const std::lock_guard lock(mutex_);
    ++counts_.groups;
    counts_.members += group.members.size();
    counts_.largest = std::max<std::uint64_t>(counts_.largest, group.members.size());
    expected_ = group.callers.size() + queue_.size();
    hand_on();
  }
  for (Caller* caller : group.callers)
    if (caller != &leader) caller->progress.change_to(settled);
}

GroupCommit::Group GroupCommit::gather(Caller& leader) {
  std::unique_lock lock(mutex_);
  if (!leader.again) enough_.wait_for(lock, wait_, [&] { return queue_.size() >= expected_; });
  Group group;
  for (Caller* caller : queue_)
    if (caller == &leader || (!leader.again && !caller->again)) group.add(*caller);
  for (Caller* caller : group.callers) caller->taken = true;
  std::erase_if(queue_, [](const Caller* caller) { return caller->taken; });
  return group;
}

void GroupCommit::hand_on() noexcept {
  led_ = !queue_.empty();
  if (led_) queue_.front()->progress.change_to(leads);
}

std::size_t GroupCommit::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

GroupCounts GroupCommit::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace holdfast::detail
