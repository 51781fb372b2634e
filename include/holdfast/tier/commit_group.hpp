#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/function_ref.hpp"

namespace holdfast {

namespace detail {
class CommitUnit;
}

/// Tiers on one backend that commit together. A tier joins by being constructed on the group instead of the backend,
/// and stays for life. A member never flushes alone: its cadence, its flush() and its Flusher flush the group, all
/// members in one atomic batch; its erases wait like its saves.
/// A value: copies are the same group.
/// Threads: all methods may be called at once.   Durable: see Tier.
class HOLDFAST_API CommitGroup {
 public:
  /// Errors: OptionError for a null backend.
  explicit CommitGroup(std::shared_ptr<StorageBackend> backend);

  /// Writes what is pending in all members in one atomic batch.
  /// Errors: as of the backend's apply; everything is still pending then. In update: StateError{would_deadlock}.
  void flush();

  /// Drops what is pending in all members.   Errors: in update: StateError{would_deadlock}.
  void rollback();

  /// Calls `fn` and takes what it does to member tiers whole: it is flushed in one atomic batch (with what was pending
  /// before) when `fn` returns, and dropped whole when `fn` throws, its exception passing unchanged and what was
  /// pending before still pending. What other threads do meanwhile is theirs. Reads inside `fn` show what is stored,
  /// not what `fn` did. Returns what `fn` returns.
  /// Errors: those of fn; those of the flush: what fn did is pending then. Inside fn, flush, rollback and another
  ///         update of this group are a StateError{would_deadlock}.
  template <class Fn>
  std::invoke_result_t<Fn&> update(Fn&& fn) {
    using Result = std::invoke_result_t<Fn&>;
    if constexpr (std::is_void_v<Result>) {
      run_update([&] { fn(); });
    } else {
      std::optional<Result> result;
      run_update([&] { result.emplace(fn()); });
      return std::move(*result);
    }
  }

  [[nodiscard]] const std::shared_ptr<StorageBackend>& backend() const noexcept;

 private:
  friend class TierHome;
  friend class Flusher;
  void run_update(FunctionRef<void()> fn);

  std::shared_ptr<detail::CommitUnit> unit_;
};

}  // namespace holdfast
