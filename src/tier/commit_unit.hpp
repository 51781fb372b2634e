#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/function_ref.hpp"
#include "tier/pending.hpp"

namespace holdfast::detail {

class TierCore;

/// What is committed at once: the members of a group, or a tier alone. It runs every flush.
///
/// Two locks: the flush lock is held for a whole flush, writing included, so that a write-through save that finds its
/// value taken by another thread's flush returns when that one has ended; the pending lock is held for moments only,
/// so that saves and rollbacks go on while a flush writes. Order: flush lock, then pending lock.
class CommitUnit {
 public:
  enum class Kind { alone, group };

  /// Errors: OptionError for a null backend.
  CommitUnit(std::shared_ptr<StorageBackend> backend, Kind kind);

  [[nodiscard]] const std::shared_ptr<StorageBackend>& backend() const noexcept { return backend_; }
  /// Whether erases of members go through at once.
  [[nodiscard]] bool alone() const noexcept { return kind_ == Kind::alone; }

  void join(const std::shared_ptr<TierCore>& member);

  /// Takes `fresh` for `member`; whether its cadence asks for a flush.
  [[nodiscard]] bool accept(TierCore& member, Pending&& fresh);
  void flush();
  using Members = std::vector<std::shared_ptr<TierCore>>;
  [[nodiscard]] Members living_members() const;
  /// Drops what `members` have pending and in flight. Waits for a write that runs, not for others' flushes.
  void rollback(const Members& members);
  [[nodiscard]] bool has_pending(const TierCore& member) const;
  void update(FunctionRef<void()> fn);

  /// Erases `key` at once, past everything pending; a pending write of it is dropped when that has succeeded.
  bool erase_now(TierCore& member, std::string_view key);
  /// Applies `batch` at once, between flushes.
  void apply_now(const WriteBatch& batch);

  /// The lock that guards what members have pending and in flight.
  [[nodiscard]] std::unique_lock<std::mutex> lock_pending() const { return std::unique_lock(pending_mutex_); }

 private:
  class Writing;
  using Staged = std::map<std::shared_ptr<TierCore>, Pending>;

  void refuse_in_update(std::string_view attempted) const;
  [[nodiscard]] static bool take_pending(const Members& members, Members& active);
  void flush_locked(const Members& members);
  void prepare(TierCore& member, const Members& members) const;
  [[nodiscard]] static bool has_moved(const Members& members);

  std::shared_ptr<StorageBackend> backend_;
  Kind kind_;
  std::mutex flush_mutex_;
  std::uint64_t attempt_ = 0;  // guarded by the flush lock

  mutable std::mutex pending_mutex_;
  std::uint64_t writing_ = 0;                     // the attempt that is being written; 0: none
  std::condition_variable written_;               // it has ended
  std::vector<std::weak_ptr<TierCore>> members_;  // weak: a member keeps its unit alive
  std::map<std::thread::id, Staged*> updates_;    // what running updates do, by the thread that runs them
};

}  // namespace holdfast::detail
