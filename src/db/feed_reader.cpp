#include "db/feed_reader.hpp"

#include "db/range_reader.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

FeedExtent read_extent(TransactionTables& tables) {
  const auto rows = tables.feed_rows();
  return feed_extent(rows.get(), tables.index().feed().begun_after);
}

ChangeRange read_changes(const std::shared_ptr<TransactionTables>& tables, std::uint64_t since) {
  const FeedExtent kept = read_extent(*tables);
  const std::string where = tables->environment().path().string() + ", change feed";
  if (since > kept.last)
    throw StateError({.state = State::foreign,
                      .where = where,
                      .problem = "change " + std::to_string(since) + " is of another history: the last one is " +
                                 std::to_string(kept.last)});
  if (since + 1 < kept.first)
    throw RestoreError({.reason = RestoreReason::not_retained,
                        .seq = kept.first,
                        .where = where,
                        .problem = "changes after " + std::to_string(since) + " are kept no more, only from " +
                                   std::to_string(kept.first) + " on"});
  KeyRange range{.first = to_text(feed_key(since + 1)), .last = to_text(feed_key(kept.last)) + '\0'};
  return ChangeRange(RangeSource(std::make_unique<RangeReader>(tables, tables->feed_rows(), std::move(range))),
                     {.tables = tables->shared_index(), .after = since});
}

}  // namespace holdfast::detail
