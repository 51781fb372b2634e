#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "holdfast/backend/file.hpp"
#include "holdfast/backend/memory.hpp"
#include "holdfast/backend/sealed.hpp"
#include "holdfast/seal/checksum.hpp"
#include "holdfast/testing/backend_factory.hpp"
#include "support/temporary_directory.hpp"
#include "support/unlistable_backend.hpp"

#ifdef HOLDFAST_WITH_LMDB
#include "holdfast/backend/lmdb.hpp"
#endif

/// A new empty store of each backend, for the tests that run on all of them.
namespace holdfast::testing {

[[nodiscard]] inline StoreUnderTest memory_store(MemoryOptions options = {}) {
  return {.open = [options] { return std::make_shared<MemoryBackend>(options); }};
}

/// In a temporary directory, which lives as long as the store.
[[nodiscard]] inline StoreUnderTest file_store(Durability durability = Durability::synced) {
  const auto directory = std::make_shared<TemporaryDirectory>();
  return {.open = [directory, durability] {
    return std::make_shared<FileBackend>(FileOptions{.root = directory->path() / "files", .durability = durability});
  }};
}

#ifdef HOLDFAST_WITH_LMDB
/// In a temporary directory, which lives as long as the store.
[[nodiscard]] inline StoreUnderTest lmdb_store(Durability durability = Durability::synced) {
  const auto directory = std::make_shared<TemporaryDirectory>();
  return {.open = [directory, durability] {
    return std::make_shared<LmdbBackend>(LmdbOptions{.path = directory->path() / "store", .durability = durability});
  }};
}

[[nodiscard]] inline StoreUnderTest lmdb_memory_store() {
  return {.open = [] { return std::make_shared<LmdbBackend>(Database::open_in_memory()); }};
}
#endif

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
