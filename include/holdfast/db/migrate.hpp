#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "holdfast/core/error.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/db/typed_table.hpp"

namespace holdfast {

namespace detail {

class HOLDFAST_API Migration {
 public:
  /// Whether the table is as `to` already, or does not exist.
  static bool is_done(const Transaction& txn, const ByteTable& to);
  /// Whether the table, as it is, may have entries that expire.
  static bool is_expiring(const Transaction& txn, const ByteTable& table);
  /// A table like `to` of a name that nobody can ask for, whose entries may expire if those of either may.
  static ByteTable stage(const Transaction& txn, const ByteTable& to);
  static void finish(WriteTransaction& txn, const ByteTable& stage, const ByteTable& to);
  static void abandon(WriteTransaction& txn, const ByteTable& stage);
};

}  // namespace detail

/// Writes a table anew, in other types, codecs, schema version or seal: both name the same table, as it is and as it is
/// to be. `convert(entry)` is given each entry and returns the new one, or a std::optional of it: none drops it. The
/// new one has the deadline of the old one; a table whose entries may expire stays such, and `to` may make it such.
/// Nothing happens when the table is as `to` already (tell a change of meaning alone by the schema version), or when
/// there is none. Returns how many entries were written.
///
///     migrate(txn, old_parts, parts, [](const auto& entry) { return TableEntry{entry.key, Part(entry.value)}; });
///
/// Errors: StateError{mismatched} when the table is like neither; OptionError for tables of two names; ConflictError
///         when two entries get one key; what `convert` throws, unchanged. The table is then as it was.
/// Shape:  the table gets a new id, and keeps its feed: there it is cleared, and put anew under that id.
/// Cost:   writes everything, once; a large table spills.
template <class From, class To, class F>
std::uint64_t migrate(WriteTransaction& txn, const From& from, const To& to, F&& convert) {
  if (from.name() != to.name())
    throw OptionError({.option = "migrate", .problem = "tables of two names: " + from.name() + ", " + to.name()});
  if (detail::Migration::is_done(txn, to.bytes())) return 0;
  const bool expiring = detail::Migration::is_expiring(txn, from.bytes());
  const To stage = to.over(detail::Migration::stage(txn, to.bytes()));
  std::uint64_t count = 0;
  try {
    for (const auto& entry : from.range(txn)) {
      const std::optional<typename To::Entry> converted = convert(entry);
      if (!converted) continue;
      if (!stage.insert(txn, converted->key, converted->value))
        throw ConflictError({.key = to.text_of(converted->key), .problem = "two entries were given this key"});
      if (const auto left = expiring ? from.ttl(txn, entry.key) : std::nullopt; left && !TimeToLive(*left).is_forever())
        stage.expire(txn, converted->key, *left);
      ++count;
    }
  } catch (...) {
    detail::Migration::abandon(txn, stage.bytes());
    throw;
  }
  detail::Migration::finish(txn, stage.bytes(), to.bytes());
  return count;
}

}  // namespace holdfast
