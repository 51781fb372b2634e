#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/codec/json.hpp"
#include "holdfast/tier/tier.hpp"

namespace holdfast {

template <class T>
struct SnapshotOptions {
  std::string name = "snapshot";                  ///< the key; must not be empty
  bool debounce = false;                          ///< gather writes instead of flushing each
  std::optional<std::size_t> compact_every{};     ///< with debounce: flush when floor(accepted writes / N) changes
  std::function<bool(const T&)> filter{};         ///< false: the value is not saved, and does not count
  std::function<std::string(const T&)> key_of{};  ///< stores each value under a key of its own, and remembers the last
};

namespace detail {

/// The part of a snapshot tier that knows bytes only.
class HOLDFAST_API SnapshotTierBase : public Tier {
 protected:
  SnapshotTierBase(const TierHome& home, std::string name, Cadence cadence);
  SnapshotTierBase(SnapshotTierBase&&) noexcept = default;
  SnapshotTierBase& operator=(SnapshotTierBase&&) noexcept = default;
  ~SnapshotTierBase() = default;

  void accept(Bytes value);
  void accept_under(const std::string& key, Bytes value);
  /// The key that `<name>/latest` holds.
  [[nodiscard]] std::optional<std::string> latest_key() const;
  [[noreturn]] void throw_dangling(const std::string& key) const;
};

}  // namespace detail

/// The latest value, and only that. One value waits at most: the last save wins.
/// Shape: the value under `name`; with `key_of`, the value under `key_of(value)`, and that key, as text, under
///        `<name>/latest`, both in one batch.
/// Threads: all methods may be called at once; `filter`, `key_of` and the codec must allow it.   Durable: see Tier.
template <class T, class Codec = JsonCodec<T>>
requires CodecFor<Codec, T>
class SnapshotTier : public detail::SnapshotTierBase {
 public:
  /// Errors: OptionError when compact_every is 0 or the name is empty.
  explicit SnapshotTier(const TierHome& home, SnapshotOptions<T> options = {}, Codec codec = {})
      : SnapshotTierBase(home, std::move(options.name), {options.debounce, options.compact_every}),
        filter_(std::move(options.filter)),
        key_of_(std::move(options.key_of)),
        codec_(std::move(codec)) {}

  /// Whether the value was accepted: false when `filter` refused it.
  /// Errors: CodecError, LimitError, UnsupportedError, and ConflictError when key_of gives `<name>/latest`: refused,
  ///         nothing changed. Errors of a flush: the value is pending.
  bool save(const T& value) {
    if (filter_ && !filter_(value)) return false;
    Bytes bytes = detail::encoded(codec_, value);
    if (key_of_) {
      accept_under(key_of_(value), std::move(bytes));
    } else {
      accept(std::move(bytes));
    }
    return true;
  }

  /// The stored value; nullopt when nothing was ever stored.
  /// Errors: CodecError that names the key when the bytes do not decode; CorruptionError when `<name>/latest` names a
  ///         key that holds nothing.
  [[nodiscard]] std::optional<T> load() const {
    std::string key = name();
    if (key_of_) {
      auto latest = latest_key();
      if (!latest) return std::nullopt;
      key = std::move(*latest);
    }
    const auto bytes = backend()->read(key);
    if (!bytes) {
      if (key_of_) throw_dangling(key);
      return std::nullopt;
    }
    return detail::decode_stored<T>(codec_, *bytes, *backend(), key);
  }

 private:
  std::function<bool(const T&)> filter_;
  std::function<std::string(const T&)> key_of_;
  Codec codec_;
};

}  // namespace holdfast
