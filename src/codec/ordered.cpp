#include "holdfast/codec/ordered.hpp"

#include <algorithm>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

// Inside a tuple a text ends with 00 01, and a 00 within it is written 00 FF: so a text that ends comes before one that
// goes on, whatever it goes on with, and whatever field follows.
constexpr std::byte escape{0x00};
constexpr std::byte escaped_zero{0xFF};
constexpr std::byte terminator{0x01};

}  // namespace

ByteView KeyReader::take(std::size_t count_bytes) {
  if (bytes_.size() - at_ < count_bytes) fail("the key ends too early");
  const ByteView taken = bytes_.subspan(at_, count_bytes);
  at_ += count_bytes;
  return taken;
}

Bytes KeyReader::take_escaped() {
  Bytes text;
  for (;;) {
    const ByteView rest = bytes_.subspan(at_);
    const auto run = std::find(rest.begin(), rest.end(), escape) - rest.begin();
    append(text, take(static_cast<std::size_t>(run)));
    const std::byte mark = take(2)[1];
    if (mark == terminator) return text;
    if (mark != escaped_zero) fail("an escape that no key has");
    text.push_back(escape);
  }
}

void KeyReader::require_end() const {
  if (at_ != bytes_.size()) fail("bytes follow the key");
}

void KeyReader::fail(std::string_view problem) const {
  throw CodecError({.codec = "ordered", .problem = std::string(problem), .offset_bytes = at_});
}

void put_escaped(ByteView text, Bytes& out) {
  for (;;) {
    const auto run = static_cast<std::size_t>(std::find(text.begin(), text.end(), escape) - text.begin());
    append(out, text.first(run));
    out.push_back(escape);
    if (run == text.size()) break;
    out.push_back(escaped_zero);
    text = text.subspan(run + 1);
  }
  out.push_back(terminator);
}

void throw_nan_key() {
  throw CodecError({.codec = "ordered", .problem = "NaN has no place in an order"});
}

}  // namespace holdfast::detail
