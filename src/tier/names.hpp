#pragma once

#include <string>

namespace holdfast::detail {

/// Errors: OptionError for an empty name, LimitError for one longer than limits::max_name_bytes.
void check_tier_name(const std::string& name);

}  // namespace holdfast::detail
