#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/seal/seal.hpp"

namespace holdfast {

namespace detail {
class ValueOpener;
}

/// Another backend whose values are sealed: each is stored in the form its Seal gives it, bound to this backend's
/// place id and its key, and opened, that is checked, whenever it is read. Keys are stored as they are.
/// Invariant: a value that was changed underneath, or moved to another key or another place id, is a CorruptionError
///            naming the key; it is never returned, skipped by a scan, or taken for absent. Its neighbours stay
///            readable, and it stays as it is until it is written or erased by name.
/// Threads:   as the inner backend; the seal's const methods are called at once.
/// Durable:   as the inner backend.
/// Errors:    those of the inner backend, and CorruptionError from whatever opens a value: reads, scans with values,
///            and preconditions that require a value. A precondition on a damaged value changes nothing. A scan that
///            met one throws it again on every further step; a new scan `after` that key goes on behind it.
/// Cost:      one copy of each value written; reads as the seal (a checksum copies nothing). A required value is read
///            and opened first.
///
/// Everything under the inner backend's keys must have been written with the same seal and place id: to share a
/// backend with unsealed data, give each its own.
class HOLDFAST_API SealedBackend final : public StorageBackend {
 public:
  /// `place_id` is chosen once per store and kept with the application's configuration; without it nothing opens.
  /// Errors: OptionError when `inner` or `seal` is null.
  SealedBackend(std::shared_ptr<StorageBackend> inner, std::shared_ptr<const Seal> seal, StoreId place_id);

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override;
  [[nodiscard]] Scan scan(ScanOptions options) const override;
  void write(std::string_view key, ByteView value) override;
  bool erase(std::string_view key) override;
  /// The seal need not be deterministic: a required value is compared opened, then held to the stored bytes it was
  /// opened from; should those be replaced meanwhile, it is judged anew.
  void apply(const WriteBatch& batch) override;
  [[nodiscard]] std::unique_ptr<const BackendSnapshot> snapshot() const override;
  void flush() override;
  /// Those of the inner backend, max_value_bytes less the seal's overhead.
  [[nodiscard]] Capabilities capabilities() const noexcept override;
  [[nodiscard]] std::string name() const override;

 private:
  void check_value(std::string_view key, ByteView value) const;
  [[nodiscard]] WriteBatch sealed(const WriteBatch& batch) const;

  std::shared_ptr<StorageBackend> inner_;
  std::shared_ptr<const detail::ValueOpener> opener_;  ///< shared with snapshots and scans
};

}  // namespace holdfast
