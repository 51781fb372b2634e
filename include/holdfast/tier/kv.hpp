#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "holdfast/codec/json.hpp"
#include "holdfast/tier/detail/lazy_range.hpp"
#include "holdfast/tier/tier.hpp"

namespace holdfast {

template <class T>
struct KvOptions {
  std::string prefix{};                        ///< stands before every key in the backend
  bool debounce = false;                       ///< gather writes instead of flushing each
  std::optional<std::size_t> compact_every{};  ///< with debounce: flush when floor(accepted writes / N) changes
  std::function<bool(std::string_view, const T&)> filter{};  ///< false: the value is not saved, and does not count
};

namespace detail {

/// The keys of a kv tier, without its prefix.
class HOLDFAST_API KeySource {
 public:
  KeySource(Scan scan, std::size_t prefix_bytes);
  [[nodiscard]] std::optional<std::string> next();

 private:
  std::unique_ptr<Scan> scan_;  // stays where it is: its iterator points at it
  std::optional<Scan::Iterator> at_;
  std::size_t prefix_bytes_;
};

/// The part of a kv tier that knows bytes only.
class HOLDFAST_API KvTierBase : public Tier {
 public:
  /// Removes the value of `key`. Outside a group it goes through at once, and drops a pending save of the key only
  /// when it has succeeded; in a group it is pending like a save.
  /// Returns whether a value is stored (in a group: still stored).
  /// Errors: as of the backend. In a group LimitError and UnsupportedError refuse it; after any other it is pending.
  bool erase(std::string_view key);

  /// The stored keys that begin with `prefix`, in byte order, without the tier's own prefix: a lazy range over the
  /// state of this moment.   Errors: UnsupportedError where the backend cannot list.
  using Keys = LazyRange<std::string, KeySource>;
  [[nodiscard]] Keys keys(std::string_view prefix = {}) const;

 protected:
  KvTierBase(const TierHome& home, std::string prefix, Cadence cadence);
  KvTierBase(KvTierBase&&) noexcept = default;
  KvTierBase& operator=(KvTierBase&&) noexcept = default;
  ~KvTierBase() = default;

  [[nodiscard]] std::string full_key(std::string_view key) const;
  void accept(std::string_view key, Bytes value);
};

}  // namespace detail

/// Many values by key.
/// Shape: the value of `key` is stored under `prefix` + `key`.
/// Threads: all methods may be called at once; `filter` and the codec must allow it.   Durable: see Tier.
template <class T, class Codec = JsonCodec<T>>
requires CodecFor<Codec, T>
class KvTier : public detail::KvTierBase {
 public:
  /// Errors: OptionError when compact_every is 0.
  explicit KvTier(const TierHome& home, KvOptions<T> options = {}, Codec codec = {})
      : KvTierBase(home, std::move(options.prefix), {options.debounce, options.compact_every}),
        filter_(std::move(options.filter)),
        codec_(std::move(codec)) {}

  /// Whether the value was accepted: false when `filter` refused it.
  /// Errors: CodecError, LimitError, UnsupportedError: refused, nothing changed. Errors of a flush: it is pending.
  bool save(std::string_view key, const T& value) {
    if (filter_ && !filter_(key, value)) return false;
    accept(key, detail::encoded(codec_, value));
    return true;
  }

  /// The stored value; nullopt when absent.   Errors: CodecError that names the key when the bytes do not decode.
  [[nodiscard]] std::optional<T> load(std::string_view key) const {
    const std::string full = full_key(key);
    std::optional<T> value;
    // Decoded from a copy: a codec may be slow, and must not run while the backend lends its bytes.
    if (const auto bytes = backend()->read(full)) value = detail::decode_stored<T>(codec_, *bytes, *backend(), full);
    return value;
  }

  /// Calls `use(key, value)` for the stored keys that begin with `prefix`, in byte order, over the state of this
  /// moment. Values are read and decoded one by one. When `use` returns a bool, false ends the walk.
  template <class Use>
  requires std::invocable<Use&, std::string_view, T>
  void for_each_by_prefix(std::string_view prefix, Use&& use) const {
    Scan scan = backend()->scan({.prefix = full_key(prefix)});
    for (const Entry& entry : scan) {
      const std::string_view key = std::string_view(entry.key).substr(name().size());
      T value = detail::decode_stored<T>(codec_, entry.value, *backend(), entry.key);
      if constexpr (std::is_same_v<std::invoke_result_t<Use&, std::string_view, T>, bool>) {
        if (!use(key, std::move(value))) return;
      } else {
        use(key, std::move(value));
      }
    }
  }

 private:
  std::function<bool(std::string_view, const T&)> filter_;
  Codec codec_;
};

}  // namespace holdfast
