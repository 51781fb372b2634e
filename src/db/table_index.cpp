#include "db/table_index.hpp"

#include <algorithm>
#include <atomic>

namespace holdfast::detail {

std::uint64_t TableIndex::next_serial() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

const IndexedTable* TableIndex::find(std::string_view name) const noexcept {
  const auto at =
      std::lower_bound(tables_.begin(), tables_.end(), name,
                       [](const IndexedTable& table, std::string_view sought) { return *table.name < sought; });
  return at != tables_.end() && *at->name == name ? &*at : nullptr;
}

}  // namespace holdfast::detail
