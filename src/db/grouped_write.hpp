#pragma once

#include <exception>
#include <span>

#include "holdfast/core/function_ref.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast::detail {

/// A write to one table that shares its commit with those of other callers.
struct GroupedWrite {
  const ByteTable* table;
  /// Called again when the commit has to be repeated: of the library, never of its users. What it throws is its
  /// failure, and then it has written nothing.
  FunctionRef<void(WriteTransaction&)> use;
  std::exception_ptr failure{};  ///< this one's own, afterwards; null when it is committed
};

/// Commits `writes`, each for itself, in their order, together with what other callers write meanwhile. Those that
/// cannot be committed together are tried apart.
/// Errors: none; each has its own failure.
void commit_grouped(Database& database, std::span<GroupedWrite> writes);

}  // namespace holdfast::detail
