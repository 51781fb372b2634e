#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db/catalogue.hpp"
#include "db/write_set.hpp"
#include "holdfast/db/check.hpp"

namespace holdfast::detail {

/// What can be made of the records of a `holdfast.meta` that may be damaged.
struct FoundMeta {
  std::optional<StoreMeta> store{};      ///< nothing is known of the store's seals without
  Catalogue catalogue{};                 ///< those tables whose records decode
  std::vector<CheckFinding> findings{};  ///< what is wrong with the others
};

[[nodiscard]] FoundMeta judge_meta(const WriteSet& records);

}  // namespace holdfast::detail
