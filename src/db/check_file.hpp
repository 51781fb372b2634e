#pragma once

#include <vector>

#include "db/tree_walk.hpp"
#include "holdfast/db/check.hpp"

namespace holdfast::detail {

/// What opening the store would say to its data file. Errors: as judge(), but damage is a finding.
[[nodiscard]] std::vector<CheckFinding> judge_to_findings(const File& data);

/// Judges a snapshot; `known` are findings that come first.
[[nodiscard]] CheckReport check_snapshot(const PageSnapshot& snapshot, std::vector<CheckFinding> known,
                                         const CheckOptions& options);

/// Judges a data file that nobody writes: its newest state.
[[nodiscard]] CheckReport check_file(const File& data, const CheckOptions& options);

/// Errors: CorruptionError for the first damage in the report.
void require_undamaged(const CheckReport& report, const File& data);

/// `work` whose progress is a later part of a whole: `before` of it is done already.
[[nodiscard]] LongWork later_part(const LongWork& work, std::uint64_t before);

}  // namespace holdfast::detail
