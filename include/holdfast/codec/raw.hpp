#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "holdfast/codec/codec.hpp"
#include "holdfast/codec/detail/stored_integer.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

/// Values as their own bytes, nothing around them.
/// Shape: Bytes and std::string as they are; integers little-endian at exactly their width.
/// Threads: const methods may be called at once.   Cost: one copy.
template <class T>
class RawCodec;

namespace detail {

struct RawCodecName {
  [[nodiscard]] std::string_view name() const noexcept { return "raw"; }
  [[nodiscard]] std::uint32_t version() const noexcept { return 1; }
};

[[noreturn]] HOLDFAST_API void throw_raw_width(std::size_t want_bytes, std::size_t got_bytes);

}  // namespace detail

template <>
class RawCodec<Bytes> : public detail::RawCodecName {
 public:
  void encode(const Bytes& value, Bytes& out) const { append(out, ByteView(value)); }
  [[nodiscard]] Bytes decode(ByteView bytes) const { return to_bytes(bytes); }
};

/// Any bytes are a std::string; nothing checks that they are UTF-8.
template <>
class RawCodec<std::string> : public detail::RawCodecName {
 public:
  void encode(const std::string& value, Bytes& out) const { append(out, std::string_view(value)); }
  [[nodiscard]] std::string decode(ByteView bytes) const { return to_text(bytes); }
};

/// Errors: CodecError when the bytes are not exactly sizeof(T) long.
template <StoredInteger T>
class RawCodec<T> : public detail::RawCodecName {
 public:
  void encode(const T& value, Bytes& out) const {
    append(out, ByteView(little_endian(static_cast<std::make_unsigned_t<T>>(value))));
  }
  [[nodiscard]] T decode(ByteView bytes) const {
    if (bytes.size() != sizeof(T)) detail::throw_raw_width(sizeof(T), bytes.size());
    return static_cast<T>(from_little_endian<std::make_unsigned_t<T>>(bytes));
  }
};

}  // namespace holdfast
