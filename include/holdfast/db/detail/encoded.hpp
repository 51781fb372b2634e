#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "holdfast/codec/ordered.hpp"
#include "holdfast/codec/raw.hpp"
#include "holdfast/core/bytes.hpp"

/// How tables turn keys and values into bytes and back, with as little memory as can be.
namespace holdfast::detail {

/// Whether the codec stores a T as its own bytes, so that they can be borrowed.
template <class Codec, class T>
inline constexpr bool stores_itself = false;
template <>
inline constexpr bool stores_itself<RawCodec<Bytes>, Bytes> = true;
template <>
inline constexpr bool stores_itself<RawCodec<std::string>, std::string> = true;
template <>
inline constexpr bool stores_itself<OrderedCodec<Bytes>, Bytes> = true;
template <>
inline constexpr bool stores_itself<OrderedCodec<std::string>, std::string> = true;

/// What a table takes for a T: what lends its bytes is as good.
template <class Codec, class T>
using Argument = std::conditional_t<!stores_itself<Codec, T>, const T&,
                                    std::conditional_t<std::same_as<T, Bytes>, ByteView, std::string_view>>;

/// Memory of the thread, taken for as long as this lives and used again; one inside another takes new.
class Scratch {
 public:
  Scratch() noexcept : bytes_(std::exchange(kept(), {})) {}
  ~Scratch() {
    bytes_.clear();
    kept() = std::move(bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] Bytes& bytes() noexcept { return bytes_; }

 private:
  static Bytes& kept() noexcept {
    thread_local Bytes bytes;
    return bytes;
  }

  Bytes bytes_;
};

/// The encoded form of a key or value, borrowed from it where that is the same.
template <class Codec, class T>
class Encoded {
 public:
  Encoded(const Codec& codec, const T& value) { codec.encode(value, scratch_.bytes()); }
  [[nodiscard]] ByteView view() noexcept { return scratch_.bytes(); }

 private:
  Scratch scratch_;
};

template <class Codec, class T>
requires stores_itself<Codec, T>
class Encoded<Codec, T> {
 public:
  Encoded(const Codec&, ByteView value) noexcept : view_(value) {}
  Encoded(const Codec&, std::string_view value) noexcept : view_(as_bytes(value)) {}
  [[nodiscard]] ByteView view() const noexcept { return view_; }

 private:
  ByteView view_;
};

/// Writes what `bytes` decode to over `value`, in its memory where the codec stores values as they are.
template <class Codec, class T>
void decode_over(const Codec& codec, ByteView bytes, T& value) {
  if constexpr (stores_itself<Codec, T>) {
    const auto* const data = reinterpret_cast<const typename T::value_type*>(bytes.data());
    value.assign(data, data + bytes.size());
  } else {
    value = codec.decode(bytes);
  }
}

}  // namespace holdfast::detail
