#include "tier/names.hpp"

#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast::detail {

void check_tier_name(const std::string& name) {
  if (name.empty()) throw OptionError({.option = "name", .problem = "must not be empty"});
  if (name.size() > limits::max_name_bytes) {
    throw LimitError({.limit = "max_name_bytes",
                      .maximum = limits::max_name_bytes,
                      .actual = name.size(),
                      .unit = "bytes",
                      .where = "the name of a tier"});
  }
}

}  // namespace holdfast::detail
