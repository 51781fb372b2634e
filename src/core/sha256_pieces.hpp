#pragma once

#include <initializer_list>

#include "holdfast/core/sha256.hpp"

namespace holdfast {

/// The digest of pieces, one after the other. Cost: no allocation after a thread's first call.
/// Also for destructors of static objects.
[[nodiscard]] Digest sha256_of(std::initializer_list<ByteView> pieces);

}  // namespace holdfast
