#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "holdfast/codec/codec.hpp"
#include "holdfast/codec/detail/append_or_restore.hpp"
#include "holdfast/codec/detail/ordered_field.hpp"
#include "holdfast/core/bytes.hpp"

namespace holdfast {

/// What OrderedCodec encodes: integers, float and double, std::string, Bytes, and std::tuple and std::pair of these,
/// nested as you like.
template <class K>
concept OrderedKey = detail::OrderedFieldType<K>;

/// Keys whose byte order is the order of the values: a < b exactly when encode(a) < encode(b), and
/// decode(encode(k)) == k. So a scan in byte order is a scan in value order, and a range of values a range of keys.
/// Shape:   src/codec/FORMAT.md. A string or Bytes alone is its own bytes; inside a tuple it is escaped and terminated.
///          One value has one encoding: decode accepts no other.
/// Order:   numbers numerically, -0.0 stored as 0.0, infinities at the ends; text by its bytes; tuples field by field.
/// Errors:  CodecError for NaN, which has no place in an order, and for bytes that no key encodes to.
/// Threads: const methods may be called at once.
template <OrderedKey K>
class OrderedCodec {
 public:
  [[nodiscard]] std::string_view name() const noexcept { return "ordered"; }
  [[nodiscard]] std::uint32_t version() const noexcept { return 1; }

  void encode(const K& key, Bytes& out) const {
    if constexpr (detail::is_text_field<K>) {
      append(out, detail::bytes_of(key));
    } else {
      detail::append_or_restore(out, [&] { detail::OrderedField<K>::put(key, out); });
    }
  }

  [[nodiscard]] K decode(ByteView bytes) const {
    if constexpr (detail::is_text_field<K>) {
      return detail::text_field<K>(bytes);
    } else {
      detail::KeyReader reader(bytes);
      K key = detail::OrderedField<K>::take(reader);
      reader.require_end();
      return key;
    }
  }
};

}  // namespace holdfast
