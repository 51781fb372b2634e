#include "db/tree_reader.hpp"

#include <utility>

#include "db/catalogue.hpp"
#include "db/expiry.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

TreeReader::TreeReader(const PageSnapshot& snapshot, const TreeSource& source, const std::set<std::uint64_t>& barred,
                       OnEntry on_entry, OnDamage on_damage)
    : snapshot_(snapshot),
      source_(source),
      barred_(barred),
      on_entry_(std::move(on_entry)),
      on_damage_(std::move(on_damage)),
      walk_(snapshot, source.tree, KeyOrder::bytes, static_cast<TreeVisitor&>(*this)) {}

void TreeReader::claim(std::uint64_t first_page, std::uint64_t page_count) {
  const auto barred = barred_.lower_bound(first_page);
  if (barred != barred_.end() && *barred < first_page + page_count)
    throw CorruptionError(
        {.want = "pages that nothing else uses", .got = "page " + std::to_string(*barred) + ", which something does"});
  pages_ += page_count;
  if (pages_ > snapshot_.page_count())
    throw CorruptionError({.want = "a tree", .got = "pages that lead to themselves"});
}

void TreeReader::entry(ByteView key, std::uint16_t flags, ByteView value) {
  if ((flags & tree_flag) != 0) throw CorruptionError({.want = "a value", .got = "a tree"});
  key_ = to_bytes(lent_key(key));
  on_entry_({.stored_key = key, .stored_value = value, .key = key_, .content = opened(key, value)});
}

ByteView TreeReader::opened(ByteView stored_key, ByteView value) {
  const bool expiring = (source_.flags & expiring_flag) != 0;
  if (expiring) static_cast<void>(dated_entry(stored_key, value));
  if (!source_.seal) return value;
  const Place place{.store = source_.store, .table = source_.table_id, .key = key_};
  if (!expiring) return source_.seal->open(place, value, scratch_);
  const Dated entry = open_dated(*source_.seal, place, value, scratch_);
  return content_ = stored_value(entry.deadline, entry.value);
}

void TreeReader::damage(std::uint64_t page, std::optional<ByteView> key, std::string want, std::string got) {
  on_damage_({.table = source_.shown_name,
              .page = page,
              .key = key ? std::optional(to_bytes(*key)) : std::nullopt,
              .want = std::move(want),
              .got = std::move(got)});
}

void throw_finding(const PageSnapshot& snapshot, const CheckFinding& finding) {
  std::string where = snapshot.data->path().string() + ", " + finding.table;
  if (finding.page) where += ", page " + std::to_string(*finding.page);
  throw CorruptionError({.where = std::move(where), .want = finding.want, .got = finding.got});
}

}  // namespace holdfast::detail
