#pragma once

#include <iosfwd>

#include "side_by_side/comparison.hpp"

/// The ratios that holdfast promises, measured.
namespace holdfast::bench {

/// Measures what the promises need and prints one line for each: `name measured promised ok|short`. How many are short.
int check_promises(std::ostream& out, const Plan& terms);

}  // namespace holdfast::bench
