#pragma once

#include <string>

#include "holdfast/graph/diff.hpp"

namespace holdfast::detail {

/// Adds to `diff` what turned the node at `path` from `before` into `after`; null: there was, or is, none.
void compare_nodes(std::string path, const NodeSlice* before, const NodeSlice* after, GraphDiff& diff);

}  // namespace holdfast::detail
