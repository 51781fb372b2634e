#pragma once

#include <filesystem>

#include "holdfast/core/export.hpp"

namespace holdfast {

/// Removes the store at `path`, and its directory unless there is something else in it, which stays.
/// Durable: when it returns. Interrupted, it leaves the whole store or none.
/// Errors: StateError{in_use} while somebody has it open, {foreign, newer_format} for what is not a store that this
///         version knows; IoError: ENOENT where there is none. Nothing is removed then.
HOLDFAST_API void destroy(const std::filesystem::path& path);

}  // namespace holdfast
