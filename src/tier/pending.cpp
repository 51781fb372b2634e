#include "tier/pending.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::detail {

void Pending::merge(Pending&& newer) {
  // The one step that allocates comes first.
  appends.insert(appends.end(), std::make_move_iterator(newer.appends.begin()),
                 std::make_move_iterator(newer.appends.end()));
  if (newer.replaces && !newer.writes.empty()) writes.clear();
  while (!newer.writes.empty()) {
    auto result = writes.insert(newer.writes.extract(newer.writes.begin()));
    if (!result.inserted) result.position->second = std::move(result.node.mapped());
  }
  truncate_before = std::max(truncate_before, newer.truncate_before);
  accepted += newer.accepted;
  replaces = replaces || newer.replaces;
  newer = {};
}

void Pending::settle(std::uint64_t attempt) {
  const auto done = [attempt](std::uint64_t first) { return first != 0 && first <= attempt; };
  std::erase_if(writes, [&](const auto& item) { return done(item.second.first_attempt); });
  std::erase_if(appends, [&](const Append& item) { return done(item.first_attempt); });
}

}  // namespace holdfast::detail
