#pragma once

#include <optional>

#include "holdfast/core/error.hpp"
#include "holdfast/core/write_batch.hpp"

namespace holdfast::detail {

/// Judges a precondition by what was found under its key. Errors: ConflictError.
inline void require_holds(const WriteBatch::Precondition& required, std::optional<ByteView> found) {
  if (!required.value && found)
    throw ConflictError({.key = required.key, .problem = "required to be absent, has a value"});
  if (required.value && !found)
    throw ConflictError({.key = required.key, .problem = "required to have a value, is absent"});
  if (required.value && !equal(*required.value, *found))
    throw ConflictError({.key = required.key, .problem = "has another value than required"});
}

}  // namespace holdfast::detail
