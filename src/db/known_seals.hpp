#pragma once

#include <memory>
#include <string>
#include <vector>

#include "holdfast/seal/seal.hpp"

namespace holdfast::detail {

using Seals = std::vector<std::shared_ptr<const Seal>>;

/// The seal of that name among `others` and the library's own; null for one that is not known.
[[nodiscard]] std::shared_ptr<const Seal> find_seal(const std::string& name, const Seals& others);

/// Errors: UnsupportedError for one that is not known.
[[nodiscard]] std::shared_ptr<const Seal> require_seal(const std::string& name, const Seals& others,
                                                       const std::string& table);

}  // namespace holdfast::detail
