#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "holdfast/core/bytes.hpp"

namespace holdfast {

/// Values to bytes and back. Laws, checked by testing/codec_contract.hpp:
/// - decode(encode(v)) == v, and encoding what was decoded gives bytes that decode to the same value;
/// - encode appends to `out` and leaves what was there; on an error it leaves `out` as it found it;
/// - decode reads all of its input or throws CodecError; it trusts nothing in it;
/// - name() and version() are what a store records: another layout of the bytes needs another version.
/// Threads: const methods may be called at once.
template <class C, class T>
concept CodecFor = std::copyable<C> && requires(const C& codec, const T& value, Bytes& out, ByteView in) {
  { codec.name() } -> std::convertible_to<std::string_view>;
  { codec.version() } -> std::convertible_to<std::uint32_t>;
  codec.encode(value, out);
  { codec.decode(in) } -> std::convertible_to<T>;
};

}  // namespace holdfast
