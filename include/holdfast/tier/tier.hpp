#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

class CommitGroup;

namespace detail {
class CommitUnit;
class TierCore;

/// When gathered writes are flushed.
struct Cadence {
  bool debounce = false;
  std::optional<std::size_t> compact_every{};
};

/// Called with the error that a codec threw for the value of `key`: the same error, naming the key and the backend.
[[noreturn]] HOLDFAST_API void throw_undecodable(const StorageBackend& backend, std::string_view key,
                                                 const CodecError& error);

/// The value that `codec` finds in `bytes`, which are stored under `key`.
template <class T, class Codec>
[[nodiscard]] T decode_stored(const Codec& codec, ByteView bytes, const StorageBackend& backend, std::string_view key) {
  try {
    return codec.decode(bytes);
  } catch (const CodecError& error) {
    throw_undecodable(backend, key, error);
  }
}

template <class T, class Codec>
[[nodiscard]] Bytes encoded(const Codec& codec, const T& value) {
  Bytes bytes;
  codec.encode(value, bytes);
  return bytes;
}
}  // namespace detail

/// Where a tier lives: alone on a backend, or in a group that commits together. Made implicitly from either.
class HOLDFAST_API TierHome {
 public:
  template <std::derived_from<StorageBackend> Backend>
  TierHome(std::shared_ptr<Backend> backend)  // implicit on purpose: it is a parameter type
      : TierHome(std::shared_ptr<StorageBackend>(std::move(backend)), Alone{}) {}
  TierHome(const CommitGroup& group);  // implicit on purpose

 private:
  friend class Tier;
  struct Alone {};
  TierHome(std::shared_ptr<StorageBackend> backend, Alone alone);

  std::shared_ptr<detail::CommitUnit> unit_;
};

/// What snapshot, append log and kv tiers have in common: accepted writes that wait, and how they reach the backend.
///
/// A tier accepts a write after its filter agreed and its codec encoded it: what cannot be encoded, or exceeds the
/// backend's limits, is refused at once and never waits. Without `debounce` an accepted write is flushed before the
/// call returns; with it, writes gather until flush(), the cadence `compact_every`, or a Flusher. A flush is one
/// atomic batch. When it fails, everything stays pending, and the next one tries again; what was saved meanwhile wins.
/// So after an error other than a refusal, do not save again: flush(), or rollback().
/// Reading shows what is stored; pending writes are not visible.
///
/// A tier in a CommitGroup never flushes alone: its cadence, its flush() and its Flusher flush the group.
/// Inside CommitGroup::update, flush() and rollback() are a StateError{would_deadlock}.
///
/// Threads: all methods may be called at once.
/// Durable: when a flush returns, as the backend promises. Destruction drops what is pending: flush first.
class HOLDFAST_API Tier {
 public:
  Tier(const Tier&) = delete;
  Tier& operator=(const Tier&) = delete;

  /// Writes everything pending (of the whole group) in one atomic batch.
  /// Errors: as of the backend's apply; everything is still pending then.
  void flush();

  /// Drops what is pending, also what a flush running in another thread has not yet written.
  void rollback();

  [[nodiscard]] bool has_pending() const;

  /// Its name, or prefix: for messages and humans.
  [[nodiscard]] const std::string& name() const noexcept;

  [[nodiscard]] const std::shared_ptr<StorageBackend>& backend() const noexcept;

  /// The options that say when it flushes.
  [[nodiscard]] detail::Cadence cadence() const noexcept;

 protected:
  Tier() = default;
  Tier(Tier&&) noexcept = default;
  Tier& operator=(Tier&&) noexcept = default;
  ~Tier() = default;

  /// Errors: OptionError for a null backend.
  [[nodiscard]] static const std::shared_ptr<detail::CommitUnit>& unit_of(const TierHome& home);
  void start(std::shared_ptr<detail::TierCore> core);
  [[nodiscard]] detail::TierCore& core() const noexcept { return *core_; }

 private:
  friend class Flusher;
  std::shared_ptr<detail::TierCore> core_;
};

}  // namespace holdfast
