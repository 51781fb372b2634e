#include "holdfast/backend/backend.hpp"

namespace holdfast {

std::optional<Bytes> BackendReader::read(std::string_view key) const {
  std::optional<Bytes> value;
  view(key, [&](ByteView bytes) { value = to_bytes(bytes); });
  return value;
}

Scan BackendReader::keys(std::string_view prefix) const {
  return scan({.prefix = std::string(prefix), .values = false});
}

void StorageBackend::write(std::string_view key, ByteView value) {
  apply(WriteBatch().put(key, value));
}

}  // namespace holdfast
