#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "holdfast/graph/snapshot.hpp"

namespace holdfast::detail {

/// `object` with null in the place of `values`, which are parts of it in their order.
[[nodiscard]] std::string outline(std::string_view object, std::initializer_list<std::string_view> values);

/// As snapshot_from_json of the text's JSON, one node at a time: memory for the state and one node's tree.
/// Errors: CodecError.
[[nodiscard]] GraphSnapshot snapshot_from_text(std::string_view text);

}  // namespace holdfast::detail
