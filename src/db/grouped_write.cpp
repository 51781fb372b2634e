#include "db/grouped_write.hpp"

#include "db/deadline.hpp"
#include "db/environment.hpp"
#include "db/group_commit.hpp"
#include "db/own_copy.hpp"
#include "db/write_state.hpp"
#include "db/writer_turn.hpp"

namespace holdfast::detail {
namespace {

using Writes = std::span<GroupedWrite>;

/// A caller's part of a group's transaction.
class PartTransaction final : public WriteTransaction {
 public:
  explicit PartTransaction(const std::shared_ptr<WriteState>& part) : WriteTransaction(part) {}
};

void fail_all(Writes writes, const std::exception_ptr& failure) {
  for (GroupedWrite& write : writes) write.failure = own_copy(failure);
}

}  // namespace

/// The writes of one caller as a member of a group, from the first up to one that needs a transaction of its own.
class GroupedWrites {
 public:
  GroupedWrites(Writes writes, const DatabaseOptions& options) : writes_(writes), options_(&options) {}

  /// How many have had their turn.
  [[nodiscard]] std::size_t done() const noexcept { return done_; }

  void operator()(WriteBase& whole) {
    for (done_ = 0; done_ < writes_.size(); ++done_)
      if (!write(whole, writes_[done_])) return;
  }

 private:
  /// Whether it could be done here, or failed.
  bool write(WriteBase& whole, GroupedWrite& write) const {
    write.failure = nullptr;
    const auto part = WriteState::part_of(whole, *options_);
    if (!part) return false;
    PartTransaction txn(part);
    try {
      if (write.table->binding_->find(part->index(), Use::writing) == nullptr) return false;
      write.use(txn);
    } catch (...) {
      write.failure = std::current_exception();
      return true;
    }
    part->settle();
    return true;
  }

  Writes writes_;
  const DatabaseOptions* options_;
  std::size_t done_ = 0;
};

namespace {

void commit_alone(Database& database, GroupedWrite& write) noexcept {
  try {
    auto txn = database.begin_write();
    write.use(txn);
    txn.commit();
  } catch (...) {
    write.failure = std::current_exception();
  }
}

/// Those that could not be committed together, in ever smaller parts, up to one that needs a transaction of its own;
/// how many have had their turn.
std::size_t commit_apart(const std::shared_ptr<WriterTurn>& turn, Writes writes, const DatabaseOptions& options,
                         const Deadline& deadline) {
  GroupedWrites grouped(writes, options);
  try {
    WriteBase txn(turn, deadline);
    txn.apply_and_commit([&] { grouped(txn); }, options.durability, deadline);
    return grouped.done();
  } catch (...) {
    if (writes.size() == 1 || turn->environment()->poisoned()) {
      fail_all(writes, std::current_exception());
      return writes.size();
    }
  }
  const std::size_t half = writes.size() / 2;
  const std::size_t done = commit_apart(turn, writes.first(half), options, deadline);
  return done < half ? done : half + commit_apart(turn, writes.subspan(half), options, deadline);
}

/// After all of them failed together: one that is too large fails nobody else. Nothing is waited for again.
std::size_t commit_apart(Database& database, Writes writes, const std::exception_ptr& failure) {
  const auto& environment = database.environment();
  const DatabaseOptions& options = database.options();
  try {
    if (writes.size() > 1 && !environment->poisoned()) {
      const auto turn = WriterTurn::take(environment, {options.clock, options.busy_timeout});
      return commit_apart(turn, writes, options, {options.clock, std::chrono::milliseconds::zero()});
    }
  } catch (...) {
    // The turn did not come: what kept them from being committed at first is the failure to tell.
  }
  fail_all(writes, failure);
  return writes.size();
}

}  // namespace

void commit_grouped(Database& database, std::span<GroupedWrite> writes) {
  const auto& environment = database.environment();
  while (!writes.empty()) {
    GroupedWrites grouped(writes, database.options());
    GroupMember member{.apply = grouped, .durability = database.durability()};
    try {
      environment->group_commit().commit(environment, {&member, 1}, database.options());
    } catch (...) {
      return fail_all(writes, std::current_exception());
    }
    writes = writes.subspan(member.failure ? commit_apart(database, writes, member.failure) : grouped.done());
    database.after_commit();
    if (writes.empty()) return;
    commit_alone(database, writes.front());
    writes = writes.subspan(1);
  }
}

}  // namespace holdfast::detail
