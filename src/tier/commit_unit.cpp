#include "tier/commit_unit.hpp"

#include <utility>

#include "holdfast/core/error.hpp"
#include "tier/tier_core.hpp"

namespace holdfast::detail {

/// Tells waiting rollbacks when a write has ended, whichever way.
class CommitUnit::Writing {
 public:
  explicit Writing(CommitUnit& unit) : unit_(unit) {}
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() {
    const auto lock = unit_.lock_pending();
    unit_.writing_ = 0;
    unit_.written_.notify_all();
  }

 private:
  CommitUnit& unit_;
};

CommitUnit::CommitUnit(std::shared_ptr<StorageBackend> backend, Kind kind) : backend_(std::move(backend)), kind_(kind) {
  if (!backend_) throw OptionError({.option = "backend", .problem = "must not be null"});
}

void CommitUnit::join(const std::shared_ptr<TierCore>& member) {
  const auto lock = lock_pending();
  std::erase_if(members_, [](const std::weak_ptr<TierCore>& other) { return other.expired(); });
  members_.push_back(member);
}

void CommitUnit::refuse_in_update(std::string_view attempted) const {
  const auto lock = lock_pending();
  if (updates_.contains(std::this_thread::get_id())) {
    throw StateError({.state = State::would_deadlock,
                      .where = "commit group on " + backend_->name(),
                      .problem = std::string(attempted) + " inside update, which commits when its function returns"});
  }
}

CommitUnit::Members CommitUnit::living_members() const {
  const auto lock = lock_pending();
  Members members;
  members.reserve(members_.size());
  for (const auto& weak : members_) {
    if (auto member = weak.lock()) members.push_back(std::move(member));
  }
  return members;
}

bool CommitUnit::accept(TierCore& member, Pending&& fresh) {
  const auto lock = lock_pending();
  if (const auto update = updates_.find(std::this_thread::get_id()); update != updates_.end()) {
    (*update->second)[member.shared_from_this()].merge(std::move(fresh));
    return false;
  }
  const std::uint64_t before = member.accepted_;
  const std::uint64_t after = before + fresh.accepted;
  member.pending_.merge(std::move(fresh));
  member.accepted_ = after;
  if (!member.cadence_.debounce) return true;
  const auto every = member.cadence_.compact_every;
  return every && before / *every != after / *every;
}

void CommitUnit::flush() {
  refuse_in_update("flush");
  const std::lock_guard flushing(flush_mutex_);
  flush_locked(living_members());
}

/// Moves what is pending to what is in flight, over what earlier flushes left there; `active` gets the members that
/// have something in flight.
bool CommitUnit::take_pending(const Members& members, Members& active) {
  active.clear();
  for (const auto& member : members) {
    member->in_flight_.merge(std::move(member->pending_));
    if (!member->in_flight_.empty()) active.push_back(member);
  }
  return !active.empty();
}

void CommitUnit::flush_locked(const Members& members) {
  Members active;
  active.reserve(members.size());
  for (;;) {
    {
      const auto lock = lock_pending();
      if (!take_pending(members, active)) return;
    }
    for (const auto& member : active) prepare(*member, active);

    const std::uint64_t attempt = ++attempt_;
    WriteBatch batch;
    {
      const auto lock = lock_pending();
      for (const auto& member : active) member->assemble(attempt, batch);
      writing_ = attempt;
    }
    try {
      const Writing until_it_ends(*this);
      if (!batch.empty()) backend_->consume(std::move(batch));
    } catch (const ConflictError&) {
      // Any other error leaves in flight what is in flight, for the next flush.
      if (!has_moved(active)) throw;
      continue;
    }
    const auto lock = lock_pending();
    for (const auto& member : active) {
      member->written(attempt);
      member->in_flight_ = {};
    }
    return;
  }
}

/// Reads what `member` needs. Should it find that an attempt which seemed to fail is stored after all, what that held
/// is done, for all of its members.
void CommitUnit::prepare(TierCore& member, const Members& members) const {
  const std::uint64_t stored = member.prepare();
  if (stored == 0) return;
  const auto lock = lock_pending();
  for (const auto& other : members) other->in_flight_.settle(stored);
}

/// After a conflict: whether another attempt can succeed.
bool CommitUnit::has_moved(const Members& members) {
  bool moved = false;
  for (const auto& member : members) moved = member->has_moved() || moved;
  return moved;
}

void CommitUnit::rollback(const Members& members) {
  refuse_in_update("rollback");
  auto lock = lock_pending();
  for (const auto& member : members) {
    member->pending_ = {};
    member->in_flight_ = {};
    member->forget_attempts();
  }
  // What is being written at this moment is stored or has failed when we return; it cannot turn up later.
  const std::uint64_t running = writing_;
  if (running != 0) written_.wait(lock, [&] { return writing_ != running; });
}

bool CommitUnit::has_pending(const TierCore& member) const {
  const auto lock = lock_pending();
  return !member.pending_.empty() || !member.in_flight_.empty();
}

void CommitUnit::update(FunctionRef<void()> fn) {
  refuse_in_update("update");
  Staged staged;
  const auto me = std::this_thread::get_id();
  {
    const auto lock = lock_pending();
    updates_.emplace(me, &staged);
  }
  struct Ended {
    CommitUnit& unit;
    std::thread::id thread;
    ~Ended() {
      const auto lock = unit.lock_pending();
      unit.updates_.erase(thread);
    }
  };
  {
    const Ended ended{*this, me};
    fn();
  }
  // The flush lock first: no flush may take a part of it.
  const std::lock_guard flushing(flush_mutex_);
  {
    const auto lock = lock_pending();
    for (auto& [member, fresh] : staged) {
      member->accepted_ += fresh.accepted;
      member->pending_.merge(std::move(fresh));
    }
  }
  flush_locked(living_members());
}

bool CommitUnit::erase_now(TierCore& member, std::string_view key) {
  const std::lock_guard flushing(flush_mutex_);
  const bool existed = backend_->erase(key);
  const auto lock = lock_pending();
  const auto drop = [key](Pending& pending) {
    if (const auto found = pending.writes.find(key); found != pending.writes.end()) pending.writes.erase(found);
  };
  drop(member.pending_);
  drop(member.in_flight_);
  return existed;
}

void CommitUnit::apply_now(const WriteBatch& batch) {
  const std::lock_guard flushing(flush_mutex_);
  backend_->apply(batch);
}

}  // namespace holdfast::detail
