#pragma once

#include <cstdint>
#include <memory>

#include "db/transaction_tables.hpp"
#include "holdfast/db/feed.hpp"

namespace holdfast::detail {

[[nodiscard]] FeedExtent read_extent(TransactionTables& tables);

/// As Database::changes(). The range keeps `tables`.
[[nodiscard]] ChangeRange read_changes(const std::shared_ptr<TransactionTables>& tables, std::uint64_t since);

}  // namespace holdfast::detail
