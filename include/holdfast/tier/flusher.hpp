#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>

#include "holdfast/core/export.hpp"
#include "holdfast/tier/commit_group.hpp"
#include "holdfast/tier/tier.hpp"

namespace holdfast {

struct FlusherOptions {
  std::chrono::milliseconds interval = std::chrono::seconds(1);  ///< from the end of one round to the next; above 0
  /// Gets the error of every flush that failed, in the flusher's thread; what was to be written is still pending and is
  /// tried again in the next round. It must not throw. Required: an error nobody sees is a loss nobody sees.
  std::function<void(std::exception_ptr)> on_error{};
};

/// Flushes tiers and groups at an interval.
/// Threads: starts one, at construction; stop() and the destructor join it. All methods may be called at once, stop()
///          from anywhere but on_error.
/// Durable: it does not flush when it stops: what is pending then is the tier's, flush() writes it.
class HOLDFAST_API Flusher {
 public:
  /// Errors: OptionError when the interval is not above 0 or on_error is empty.
  explicit Flusher(FlusherOptions options);
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  /// From the next round on flushes `tier`, or its group, until the tier is destroyed.
  void add(const Tier& tier);
  void add(const CommitGroup& group);
  /// From the next round on calls `flush`, until it returns false. For what gathers changes and is no tier.
  void add(std::function<bool()> flush);

  /// Ends the thread after the round it may be in, and waits for it. Later calls do nothing.
  /// Errors: StateError{would_deadlock} from on_error.
  void stop();

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace holdfast
