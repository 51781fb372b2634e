#pragma once

#include <string>
#include <string_view>

#include "holdfast/core/function_ref.hpp"
#include "holdfast/graph/diff.hpp"
#include "holdfast/wal/frame.hpp"

namespace holdfast::detail {

/// One change of a difference, its payload written out.
struct ChangeText {
  Lifecycle lifecycle = Lifecycle::data;
  std::string_view path{};
  std::string_view structure{};
  std::string payload{};
};

/// The changes of `diff` in the order of their frames.
void for_each_change(const GraphDiff& diff, FunctionRef<void(const ChangeText&)> use);

}  // namespace holdfast::detail
