#include <exception>
#include <new>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

void throw_json_error(std::string_view step) {
  const auto problem = [&](std::string_view reported) { return std::string(step) + ": " + std::string(reported); };
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& reported) {
    std::throw_with_nested(CodecError({.codec = "json", .problem = problem(reported.what())}));
  } catch (...) {
    std::throw_with_nested(CodecError({.codec = "json", .problem = problem("an exception of unknown type")}));
  }
}

void throw_not_an_integer(std::size_t width_bytes) {
  throw CodecError({.codec = "json",
                    .problem = "the value is not an integer in the range of the " + std::to_string(width_bytes) +
                               "-byte type asked for"});
}

}  // namespace holdfast::detail
