#include "db/feed_tally.hpp"

#include <string>
#include <utility>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {

void FeedTally::add(ByteView key, ByteView value, const FoundMeta& meta) {
  const std::uint64_t before = std::exchange(last_, feed_sequence(key));
  const std::uint64_t commit_before = std::exchange(commit_, 0);
  const FeedRow row = feed_row(key, value);
  commit_ = row.commit;
  if (before != 0) require_follows(row, before, commit_before);
  if (!meta.findings.empty()) return;  // what is said there of the catalogue says nothing of this row
  const Catalogue& catalogue = meta.catalogue;
  if (row.table_id >= catalogue.next_table_id)
    throw CorruptionError({.where = feed_table_name,
                           .want = "a table's id below " + std::to_string(catalogue.next_table_id),
                           .got = std::to_string(row.table_id)});
  const std::uint64_t begun_after = catalogue.feed_begun_after.value_or(0);
  if (row.sequence <= begun_after)
    throw CorruptionError({.where = feed_table_name,
                           .want = "changes after " + std::to_string(begun_after),
                           .got = "change " + std::to_string(row.sequence)});
}

}  // namespace holdfast::detail
