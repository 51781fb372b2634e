#pragma once

#include "holdfast/core/export.hpp"
#include "holdfast/seal/seal.hpp"

namespace holdfast {

/// Rot and misplacement made visible: the value as it is, followed by the SHA-256 of its place and itself.
/// It detects accidents, not attackers: who can write the store can compute the digest.
/// Shape:   src/seal/FORMAT.md; 32 bytes longer than the value.
/// Errors:  open() throws CorruptionError, with the place and both digests, when a bit of the value or digest changed,
///          when the value was cut, or when it was sealed for another key, table or store.
/// Threads: all methods may be called at once.   Cost: one pass of SHA-256; open() lends from `sealed`, no copy.
class HOLDFAST_API ChecksumSeal final : public Seal {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "checksum/1"; }
  [[nodiscard]] std::size_t overhead_bytes() const noexcept override;
  void seal(const Place& place, ByteView value, Bytes& out) const override;
  [[nodiscard]] ByteView open(const Place& place, ByteView sealed, Bytes& scratch) const override;
};

}  // namespace holdfast
