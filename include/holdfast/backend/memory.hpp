#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {

/// How a MemoryBackend presents itself. Lower limits let it stand in for a smaller store.
struct MemoryOptions {
  std::size_t max_key_bytes = limits::max_key_bytes;        ///< at most limits::max_key_bytes
  std::uint64_t max_value_bytes = limits::max_value_bytes;  ///< at most limits::max_value_bytes
  std::string name = "memory";                              ///< what messages call it
};

/// Bytes by key in memory, for tests, caches and state that may be lost.
/// Invariant: every version of the content is immutable; a write publishes a new one, whole. So a snapshot or a scan
///            is one version, costs nothing to take, and lives on after the backend.
/// Threads:   all methods may be called at once. Readers never wait for a writer's work, nor writers for readers; a
///            `view` callback runs under no lock.
/// Durable:   nothing outlives the process. flush() does nothing.
/// Errors:    LimitError, ConflictError. OptionError from the constructor.
/// Cost:      reads and writes O(log n), a write makes O(log n) small nodes anew, snapshots or not. `view` copies
///            nothing. What only a snapshot still shows is freed with it.
class HOLDFAST_API MemoryBackend final : public StorageBackend {
 public:
  explicit MemoryBackend(MemoryOptions options = {});
  ~MemoryBackend() override;

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override;
  [[nodiscard]] Scan scan(ScanOptions options) const override;
  bool erase(std::string_view key) override;
  void apply(const WriteBatch& batch) override;
  void consume(WriteBatch&& batch) override;
  [[nodiscard]] std::unique_ptr<const BackendSnapshot> snapshot() const override;
  void flush() override;
  [[nodiscard]] Capabilities capabilities() const noexcept override;
  [[nodiscard]] std::string name() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast
