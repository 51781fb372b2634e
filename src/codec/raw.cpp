#include "holdfast/codec/raw.hpp"

#include "holdfast/core/error.hpp"

namespace holdfast::detail {

void throw_raw_width(std::size_t want_bytes, std::size_t got_bytes) {
  throw CodecError({.codec = "raw",
                    .problem = "an integer of " + std::to_string(want_bytes) + " bytes expected, " +
                               std::to_string(got_bytes) + " found"});
}

}  // namespace holdfast::detail
