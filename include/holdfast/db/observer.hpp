#pragma once

#include <cstdint>

#include "holdfast/core/export.hpp"
#include "holdfast/db/stats.hpp"

namespace holdfast {

/// Which option an old reader has passed.
enum class ReaderThreshold { age, commits };

/// Hears what an operator should know of a store. Given to a handle in its options, and called after that handle's
/// commits, on the committing thread, with no lock held: it may use the store, and should be brief.
/// Threads: called by several at once, when several commit.
class HOLDFAST_API DatabaseObserver {
 public:
  virtual ~DatabaseObserver() = default;
  /// A reader of this process is older than the handle's old_reader_age, or the oldest of all processes is older than
  /// its old_reader_commits: once for each reader and threshold.
  virtual void reader_is_old(const OldestReader& reader, ReaderThreshold passed) noexcept = 0;
  /// The store has outgrown its reserved address space, here or in another process, and got more.
  virtual void map_grew(std::uint64_t from_bytes, std::uint64_t to_bytes) noexcept = 0;
};

}  // namespace holdfast
