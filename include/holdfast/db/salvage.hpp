#pragma once

#include <cstdint>
#include <filesystem>

#include "holdfast/core/export.hpp"
#include "holdfast/db/check.hpp"

namespace holdfast {

struct SalvageReport {
  CheckReport found{};        ///< what was wrong with the damaged store: all that is not in the fresh one is named here
  std::uint64_t tables = 0;   ///< of the fresh store
  std::uint64_t entries = 0;  ///< of the fresh store, the backend's included
};

/// Makes a store at `fresh` of whatever verifies in the damaged store: every entry on a page that is sound in all its
/// parts, that only one place lays claim to, and whose seal, where it has one, is not broken. The id is kept where it
/// can be read, so that seals go on opening. Tables whose name was lost are called `recovered.<number>`; their values
/// are as they were stored, with seals and deadlines. The damaged store is held alone and only read; keep it until you
/// have seen what is missing.
/// Rot in tables without a seal cannot be seen, and is copied.
/// Errors: StateError{in_use} while somebody has the store open, {foreign, newer_format}; CorruptionError when no meta
///         page is left to go by; IoError: EEXIST where there is something called `fresh`.
HOLDFAST_API SalvageReport salvage(const std::filesystem::path& damaged, const std::filesystem::path& fresh,
                                   const CheckOptions& options = {});

}  // namespace holdfast
