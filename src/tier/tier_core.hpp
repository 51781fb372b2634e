#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/core/write_batch.hpp"
#include "holdfast/tier/tier.hpp"
#include "tier/commit_unit.hpp"
#include "tier/pending.hpp"

namespace holdfast::detail {

/// What a tier is behind its handle: pending writes, and how they become part of a batch.
/// The functions below that CommitUnit calls run under its flush lock; those marked (pending lock) under both locks.
class TierCore : public std::enable_shared_from_this<TierCore> {
 public:
  /// Errors: OptionError when compact_every is 0.
  TierCore(std::shared_ptr<CommitUnit> unit, std::string name, Cadence cadence);
  virtual ~TierCore() = default;

  [[nodiscard]] CommitUnit& unit() const noexcept { return *unit_; }
  [[nodiscard]] const std::shared_ptr<CommitUnit>& shared_unit() const noexcept { return unit_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] Cadence cadence() const noexcept { return cadence_; }

  /// Takes `fresh`, and flushes when the cadence says so. Errors: as of the flush; `fresh` is pending then.
  void accept(Pending&& fresh);

  /// Errors: LimitError or UnsupportedError for what the backend will never take.
  void check_key(const std::string& key) const;
  void check_value(const Bytes& value) const;

 protected:
  [[nodiscard]] StorageBackend& backend() const noexcept { return *unit_->backend(); }

  /// (pending lock) What the running flush, and those that failed before it, took.
  [[nodiscard]] Pending& in_flight() noexcept { return in_flight_; }

  /// Reads what assembling needs. No lock on pending is held: it may take its time.
  /// Returns an earlier attempt that seemed to fail and, as the backend shows, is stored; 0 when there is none.
  [[nodiscard]] virtual std::uint64_t prepare() { return 0; }
  /// (pending lock) Adds everything in flight to `batch` and marks it as part of `attempt`.
  virtual void assemble(std::uint64_t attempt, WriteBatch& batch) = 0;
  /// (pending lock) `attempt` is stored.
  virtual void written(std::uint64_t /*attempt*/) {}
  /// (pending lock) What was in flight was dropped: no earlier attempt is of interest any more.
  virtual void forget_attempts() {}

  /// After a conflict: whether what the batch required has changed, so that another attempt can succeed.
  [[nodiscard]] virtual bool has_moved() { return false; }

 private:
  friend class CommitUnit;

  std::shared_ptr<CommitUnit> unit_;
  std::string name_;
  Cadence cadence_;

  // Guarded by the unit's pending lock.
  Pending pending_;
  Pending in_flight_;
  std::uint64_t accepted_ = 0;
};

}  // namespace holdfast::detail
