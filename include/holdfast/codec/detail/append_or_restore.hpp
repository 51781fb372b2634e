#pragma once

#include "holdfast/core/bytes.hpp"

namespace holdfast::detail {

/// Runs `append_to_out`; when it throws, `out` is cut back to what it was. The law of every encode().
template <class F>
void append_or_restore(Bytes& out, F&& append_to_out) {
  const std::size_t before = out.size();
  try {
    append_to_out();
  } catch (...) {
    out.resize(before);
    throw;
  }
}

}  // namespace holdfast::detail
