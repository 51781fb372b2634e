#pragma once

namespace holdfast {

/// What the opener of a store may do with it.
enum class Access {
  read_write,  ///< creates what is missing, and owns the store while it is open
  read_only,   ///< changes nothing on disk: a write is StateError{read_only}
};

}  // namespace holdfast
