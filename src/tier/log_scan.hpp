#pragma once

#include <memory>

#include "holdfast/tier/append_log.hpp"
#include "tier/log_keys.hpp"

namespace holdfast::detail {

/// The entries of a log in entries form, over a snapshot taken now. Without a bucket, all buckets and the entries
/// without one, merged by sequence.
[[nodiscard]] std::unique_ptr<LogCursor> scan_entries(const StorageBackend& backend, const LogKeys& keys,
                                                      const LogScanOptions& options);

/// The same for all entries, oldest first, reading no values.
[[nodiscard]] std::unique_ptr<LogCursor> scan_entry_keys(const StorageBackend& backend, const LogKeys& keys);

}  // namespace holdfast::detail
