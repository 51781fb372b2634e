#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "holdfast/codec/detail/stored_integer.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"

/// The fields of an ordered key. Each is self-delimiting, so a tuple is its fields one after the other, and each keeps
/// its order whatever follows. The bytes are laid out in src/codec/FORMAT.md.
namespace holdfast::detail {

/// What remains to be read of an encoded key. Borrows the bytes.
class HOLDFAST_API KeyReader {
 public:
  explicit KeyReader(ByteView bytes) noexcept : bytes_(bytes) {}
  /// The next `count_bytes`; CodecError when fewer are left.
  ByteView take(std::size_t count_bytes);
  /// The next escaped text, without its escapes and terminator.
  Bytes take_escaped();
  void require_end() const;
  [[noreturn]] void fail(std::string_view problem) const;

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
};

HOLDFAST_API void put_escaped(ByteView text, Bytes& out);
[[noreturn]] HOLDFAST_API void throw_nan_key();

template <class T>
inline constexpr bool is_text_field = std::same_as<T, std::string> || std::same_as<T, Bytes>;

[[nodiscard]] inline ByteView bytes_of(const Bytes& bytes) noexcept {
  return bytes;
}
[[nodiscard]] inline ByteView bytes_of(const std::string& text) noexcept {
  return as_bytes(text);
}

template <class T>
[[nodiscard]] T text_field(ByteView bytes) {
  if constexpr (std::same_as<T, Bytes>) {
    return to_bytes(bytes);
  } else {
    return to_text(bytes);
  }
}

template <class T>
struct OrderedField;

template <class T>
concept OrderedFieldType = requires(const T& value, Bytes& out, KeyReader& reader) {
  OrderedField<T>::put(value, out);
  { OrderedField<T>::take(reader) } -> std::same_as<T>;
};

/// Big-endian; of signed integers the sign bit is flipped, which puts the negative ones first.
template <StoredInteger T>
struct OrderedField<T> {
  using Unsigned = std::make_unsigned_t<T>;
  static constexpr auto sign_bit = static_cast<Unsigned>(std::is_signed_v<T> ? Unsigned{1} << (8 * sizeof(T) - 1) : 0);

  static void put(T value, Bytes& out) {
    append(out, ByteView(big_endian(static_cast<Unsigned>(static_cast<Unsigned>(value) ^ sign_bit))));
  }
  static T take(KeyReader& reader) {
    return static_cast<T>(static_cast<Unsigned>(from_big_endian<Unsigned>(reader.take(sizeof(T))) ^ sign_bit));
  }
};

/// The IEEE 754 bits, big-endian; the sign bit flipped where it is clear, all bits where it is set.
template <class T>
requires(std::same_as<T, float> || std::same_as<T, double>) struct OrderedField<T> {
  static_assert(std::numeric_limits<T>::is_iec559);
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static constexpr Bits sign_bit = Bits{1} << (8 * sizeof(T) - 1);

  static void put(T value, Bytes& out) {
    if (std::isnan(value)) throw_nan_key();
    const Bits bits = std::bit_cast<Bits>(value == T{0} ? T{0} : value);  // -0.0 == 0.0: one key
    append(out, ByteView(big_endian((bits & sign_bit) != 0 ? static_cast<Bits>(~bits) : bits ^ sign_bit)));
  }
  static T take(KeyReader& reader) {
    const Bits stored = from_big_endian<Bits>(reader.take(sizeof(T)));
    const T value = std::bit_cast<T>((stored & sign_bit) != 0 ? stored ^ sign_bit : static_cast<Bits>(~stored));
    if (std::isnan(value)) reader.fail("NaN is no key");
    if (value == T{0} && std::signbit(value)) reader.fail("-0.0 is no key: it is stored as 0.0");
    return value;
  }
};

template <class T>
requires(is_text_field<T>) struct OrderedField<T> {
  static void put(const T& value, Bytes& out) { put_escaped(bytes_of(value), out); }
  static T take(KeyReader& reader) { return text_field<T>(reader.take_escaped()); }
};

template <OrderedFieldType... Fields>
struct OrderedField<std::tuple<Fields...>> {
  static void put(const std::tuple<Fields...>& fields, Bytes& out) {
    std::apply([&](const Fields&... field) { (OrderedField<Fields>::put(field, out), ...); }, fields);
  }
  static std::tuple<Fields...> take([[maybe_unused]] KeyReader& reader) {
    return std::tuple<Fields...>{OrderedField<Fields>::take(reader)...};  // braces: in order
  }
};

template <OrderedFieldType First, OrderedFieldType Second>
struct OrderedField<std::pair<First, Second>> {
  static void put(const std::pair<First, Second>& fields, Bytes& out) {
    OrderedField<First>::put(fields.first, out);
    OrderedField<Second>::put(fields.second, out);
  }
  static std::pair<First, Second> take(KeyReader& reader) {
    return std::pair<First, Second>{OrderedField<First>::take(reader), OrderedField<Second>::take(reader)};
  }
};

}  // namespace holdfast::detail
