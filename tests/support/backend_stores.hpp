#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "holdfast/backend/memory.hpp"
#include "holdfast/backend/sealed.hpp"
#include "holdfast/seal/checksum.hpp"
#include "holdfast/testing/backend_factory.hpp"
#include "support/unlistable_backend.hpp"

/// A new empty store of each backend, for the tests that run on all of them.
namespace holdfast::testing {

[[nodiscard]] inline StoreUnderTest memory_store(MemoryOptions options = {}) {
  return {.open = [options] { return std::make_shared<MemoryBackend>(options); }};
}

[[nodiscard]] inline StoreUnderTest unlistable(StoreUnderTest store) {
  return {.open = [open = std::move(store.open)] { return std::make_shared<UnlistableBackend>(open()); }};
}

/// That store with checksums over its values, whose stored bytes a test can damage.
[[nodiscard]] inline StoreUnderTest sealed(StoreUnderTest store) {
  const auto inner = std::make_shared<std::weak_ptr<StorageBackend>>();
  const auto open_sealed = [open = std::move(store.open), inner] {
    const std::shared_ptr<StorageBackend> opened = open();
    *inner = opened;
    return std::make_shared<SealedBackend>(opened, std::make_shared<ChecksumSeal>(), StoreId{std::byte{1}});
  };
  const auto damage = [inner](std::string_view key) {
    const std::shared_ptr<StorageBackend> backend = inner->lock();
    Bytes stored = backend->read(key).value();
    stored.back() ^= std::byte{1};
    backend->write(key, stored);
  };
  return {.open = open_sealed, .damage = damage};
}

}  // namespace holdfast::testing
