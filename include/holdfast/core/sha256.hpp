#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

/// A SHA-256 digest: 32 bytes. to_hex() of it is the form used in stored text.
using Digest = std::array<std::byte, 32>;

/// Incremental SHA-256.
/// Threads: one at a time per object; different objects are independent.
/// Cost:    one allocation per object, none per update.   Source: FIPS 180-4, computed by OpenSSL.
class HOLDFAST_API Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(ByteView bytes);
  /// The digest of everything since construction or the last finish(); the object then starts anew.
  [[nodiscard]] Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// The digest of one piece. Cost: no allocation after a thread's first call.
[[nodiscard]] HOLDFAST_API Digest sha256(ByteView bytes);

}  // namespace holdfast
