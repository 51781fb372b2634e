#include "holdfast/backend/backend.hpp"

#include <utility>

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
  consume(std::move(WriteBatch().put(key, value)));
}

void StorageBackend::consume(WriteBatch&& batch) {
  apply(batch);
}

}  // namespace holdfast
