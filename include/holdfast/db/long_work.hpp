#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

namespace holdfast {

/// How far an operation on a whole store has come.
struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< an estimate where the end is not known beforehand
};

/// How to watch and end an operation that may take long. Its result says when it was stopped; what it was making is
/// then gone.
struct LongWork {
  /// Called now and then on the caller's thread. What it throws ends the work and passes unchanged.
  std::function<void(const Progress&)> on_progress{};
  std::stop_token stop{};
};

enum class Outcome {
  finished,
  stopped,  ///< by the stop token
};

}  // namespace holdfast
