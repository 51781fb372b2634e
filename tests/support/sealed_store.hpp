#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "holdfast/backend/sealed.hpp"
#include "holdfast/seal/checksum.hpp"
#include "holdfast/testing/backend_contract.hpp"

namespace holdfast::testing {

/// That store with checksums over its values, whose stored bytes a test can damage.
[[nodiscard]] inline StoreUnderTest sealed(StoreUnderTest store) {
  const auto inner = std::make_shared<std::weak_ptr<StorageBackend>>();
  return {.open =
              [open = std::move(store.open), inner] {
                const std::shared_ptr<StorageBackend> opened = open();
                *inner = opened;
                return std::make_shared<SealedBackend>(opened, std::make_shared<ChecksumSeal>(),
                                                       StoreId{std::byte{1}, std::byte{2}});
              },
          .damage =
              [inner](std::string_view key) {
                const std::shared_ptr<StorageBackend> backend = inner->lock();
                Bytes stored = backend->read(key).value();
                stored.back() ^= std::byte{1};
                backend->write(key, stored);
              }};
}

}  // namespace holdfast::testing
