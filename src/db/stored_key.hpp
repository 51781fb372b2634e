#pragma once

#include <array>
#include <cstring>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

/// LMDB has no empty key. So "" and keys that begin with NUL are stored behind one more NUL, all others as they are.
/// Order and prefixes are kept: "" < 00... < everything else; and a key can be lent from its stored form.
namespace holdfast::detail {

/// The stored form of a key, borrowing the key where that is the same.
class StoredKey {
 public:
  explicit StoredKey(ByteView key) : view_(key) {
    if (!key.empty() && key.front() != std::byte{0}) return;
    std::byte* stored = short_.data();
    if (key.size() >= short_.size()) {
      long_.resize(key.size() + 1);
      stored = long_.data();
    }
    stored[0] = std::byte{0};
    if (!key.empty()) std::memcpy(stored + 1, key.data(), key.size());
    view_ = {stored, key.size() + 1};
  }
  StoredKey(const StoredKey&) = delete;
  StoredKey& operator=(const StoredKey&) = delete;

  [[nodiscard]] ByteView view() const noexcept { return view_; }

  /// Errors: LimitError when the stored form is too long for LMDB.
  ByteView checked() const {
    if (view_.size() > limits::max_key_bytes)
      throw LimitError({.limit = "max_key_bytes",
                        .maximum = limits::max_key_bytes,
                        .actual = view_.size(),
                        .unit = "bytes",
                        .where = "an LMDB key"});
    return view_;
  }

 private:
  std::array<std::byte, limits::max_key_bytes + 1> short_;  // not initialised: most keys need nothing of it
  Bytes long_;                                              ///< of keys too long to be stored, which may bound ranges
  ByteView view_;
};

/// The key whose stored form is `stored`, lent from it. Errors: CorruptionError.
[[nodiscard]] inline ByteView lent_key(ByteView stored) {
  if (!stored.empty() && stored[0] != std::byte{0}) return stored;
  if (stored.empty() || (stored.size() > 1 && stored[1] != std::byte{0}))
    throw CorruptionError({.where = "an LMDB key",
                           .offset_bytes = stored.empty() ? 0 : 1,
                           .want = "00 after a leading 00, or nothing",
                           .got = stored.empty() ? "no byte" : to_hex(stored.subspan(1, 1))});
  return stored.subspan(1);
}

inline void check_value(ByteView value) {
  if (value.size() > limits::max_value_bytes)
    throw LimitError({.limit = "max_value_bytes",
                      .maximum = limits::max_value_bytes,
                      .actual = value.size(),
                      .unit = "bytes",
                      .where = "an LMDB value"});
}

}  // namespace holdfast::detail
