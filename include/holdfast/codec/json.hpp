#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/codec/codec.hpp"
#include "holdfast/codec/detail/stored_integer.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

/// A JSON value. This header is the only one that names nlohmann/json.
using Json = nlohmann::json;

/// Which values the canonical writer accepts; what it writes for them is the same.
enum class JsonProfile {
  exact,     ///< everything JSON can say, 64-bit integers with all their digits
  portable,  ///< only what the TypeScript implementation verifies too: no number whose text is an integer beyond ±2^53
             ///< (its numbers are doubles), no object key that is a decimal integer (it moves those to the front)
};

/// The canonical text of `value`: RFC 8785, and 64-bit integers with all their digits. Two values are equal when their
/// canonical texts are: 1.0 is 1, -0.0 is 0.
/// Errors: CodecError for NaN, infinities, binary values, strings that are not UTF-8, nesting deeper than
///         limits::max_json_depth, and what `profile` refuses.
/// Cost:   linear; objects are sorted only where keys hold characters above U+FFFF.
[[nodiscard]] HOLDFAST_API std::string canonical_text(const Json& value, JsonProfile profile = JsonProfile::exact);

/// Appends the canonical text to `out`; on an error `out` is as it was.
HOLDFAST_API void append_canonical(const Json& value, Bytes& out, JsonProfile profile = JsonProfile::exact);

/// The value that one complete JSON text spells, canonical or not. An integral number that 64 bits hold reads as an
/// integer with all its digits; so does one written with a fraction or exponent (1.0, 1e3) up to ±2^53.
/// Errors: CodecError with the byte offset, for anything that is not JSON, and for duplicate keys, numbers beyond the
///         range of a double, lone surrogates, text that is not UTF-8, a byte order mark, bytes after the value,
///         nesting deeper than limits::max_json_depth.
/// Cost:   linear in the text, times the logarithm of an object's size for its keys; bounded stack.
[[nodiscard]] HOLDFAST_API Json parse_json(std::string_view text);

namespace detail {

/// Called in a handler: throws a CodecError that says what `step` reported, with the exception in flight nested inside.
/// holdfast's own errors and std::bad_alloc pass unchanged.
[[noreturn]] HOLDFAST_API void throw_json_error(std::string_view step);

/// The integer that `document` is; nlohmann itself would cut it to fit.
[[noreturn]] HOLDFAST_API void throw_not_an_integer(std::size_t width_bytes);

template <StoredInteger T>
[[nodiscard]] T integer_of(const Json& document) {
  if (document.is_number_unsigned()) {
    const auto number = document.get<std::uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (document.is_number_integer()) {
    const auto number = document.get<std::int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  }
  throw_not_an_integer(sizeof(T));
}

}  // namespace detail

/// Values as canonical JSON: any T with nlohmann's to_json and from_json (or NLOHMANN_DEFINE_TYPE_*), and Json itself.
/// Errors: CodecError, also for what to_json and from_json throw (nested inside it). Integers inside a structure are
///         converted by from_json, which cuts without a word those that do not fit; a T that is an integer is checked.
/// Threads: const methods may be called at once.
template <class T>
class JsonCodec {
 public:
  JsonCodec() = default;
  explicit JsonCodec(JsonProfile profile) noexcept : profile_(profile) {}

  [[nodiscard]] std::string_view name() const noexcept { return "json"; }
  [[nodiscard]] std::uint32_t version() const noexcept { return 1; }

  void encode(const T& value, Bytes& out) const {
    if constexpr (std::same_as<T, Json>) {
      append_canonical(value, out, profile_);
    } else {
      append_canonical(document_of(value), out, profile_);
    }
  }

  [[nodiscard]] T decode(ByteView bytes) const {
    Json document = parse_json(as_text(bytes));
    if constexpr (std::same_as<T, Json>) {
      return document;
    } else if constexpr (StoredInteger<T>) {
      return detail::integer_of<T>(document);
    } else {
      try {
        return document.template get<T>();
      } catch (...) {
        detail::throw_json_error("from_json");
      }
    }
  }

 private:
  static Json document_of(const T& value) {
    try {
      return Json(value);
    } catch (...) {
      detail::throw_json_error("to_json");
    }
  }

  JsonProfile profile_ = JsonProfile::exact;
};

}  // namespace holdfast
