// Layout: FORMAT.md, beside this file.
#include "holdfast/seal/checksum.hpp"

#include <algorithm>
#include <string>

#include "core/printable.hpp"
#include "core/sha256_pieces.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

constexpr std::string_view domain = "holdfast checksum/1\n";

/// What stands before the key in what is hashed: domain, store, table, length of the key.
using Header = std::array<std::byte, 20 + sizeof(StoreId) + 8 + 8>;
static_assert(domain.size() == 20);

Header header_of(const Place& place) noexcept {
  const auto table = little_endian(place.table);
  const auto key_bytes = little_endian(std::uint64_t{place.key.size()});
  Header header;
  auto at = std::copy_n(as_bytes(domain).begin(), domain.size(), header.begin());
  at = std::copy(place.store.begin(), place.store.end(), at);
  at = std::copy(table.begin(), table.end(), at);
  std::copy(key_bytes.begin(), key_bytes.end(), at);
  return header;
}

Digest digest_of(const Place& place, ByteView value) {
  const Header header = header_of(place);
  return sha256_of({header, place.key, value});
}

std::string where(const Place& place) {
  return "store " + to_hex(place.store) + ", table " + std::to_string(place.table) + ", key " +
         printable(as_text(place.key));
}

}  // namespace

std::size_t ChecksumSeal::overhead_bytes() const noexcept {
  return sizeof(Digest);
}

void ChecksumSeal::seal(const Place& place, ByteView value, Bytes& out) const {
  const Digest digest = digest_of(place, value);
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  out.resize(out.size() + value.size() + digest.size());
  std::copy(digest.begin(), digest.end(), std::copy(value.begin(), value.end(), out.begin() + before));
}

ByteView ChecksumSeal::open(const Place& place, ByteView sealed, Bytes&) const {
  if (sealed.size() < sizeof(Digest)) {
    throw CorruptionError({.where = where(place),
                           .want = "a value sealed with " + std::to_string(sizeof(Digest)) + " bytes of digest",
                           .got = std::to_string(sealed.size()) + " bytes"});
  }
  const ByteView value = sealed.first(sealed.size() - sizeof(Digest));
  const ByteView stored = sealed.last(sizeof(Digest));
  const Digest computed = digest_of(place, value);
  if (!equal(stored, computed)) {
    throw CorruptionError({.where = where(place),
                           .want = "digest " + to_hex(stored),
                           .got = to_hex(computed) + " over " + std::to_string(value.size()) + " bytes"});
  }
  return value;
}

}  // namespace holdfast
