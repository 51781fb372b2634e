#pragma once

#include <memory>

#include "holdfast/db/options.hpp"
#include "holdfast/db/stats.hpp"

namespace holdfast::detail {

class Environment;

/// The readers of all processes, as LMDB's reader table has them.
struct ReaderCensus {
  unsigned readers = 0;
  unsigned slots = 0;
  std::optional<OldestReader> oldest{};
};

/// Enters no transaction. Errors: StateError{poisoned, forked}.
[[nodiscard]] ReaderCensus count_readers(Environment& environment);

/// As Database::stats(), with the handle's options.
[[nodiscard]] StoreStats read_stats(const std::shared_ptr<Environment>& environment, const DatabaseOptions& options);

}  // namespace holdfast::detail
