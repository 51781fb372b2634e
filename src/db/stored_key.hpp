#pragma once

#include <cstring>
#include <optional>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

/// LMDB has no empty key. So "" is stored as 00, and a key that begins with NUL as 00 01 and the rest after that NUL;
/// all others as they are. Order and prefixes are kept: "" < 00... < everything else, stored as given.
namespace holdfast::detail {

/// The stored form of a key, borrowing the key where that is the same.
class StoredKey {
 public:
  explicit StoredKey(ByteView key) : view_(key) {
    if (!key.empty() && key.front() != std::byte{0}) return;
    escaped_.reserve(key.size() + 1);
    escaped_.push_back(std::byte{0});
    if (!key.empty()) {
      escaped_.push_back(std::byte{1});
      append(escaped_, key.subspan(1));
    }
    view_ = escaped_;
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
  Bytes escaped_;
  ByteView view_;
};

/// Writes the key whose stored form is `stored` over `key` (Bytes or std::string). Errors: CorruptionError.
template <class Key>
void decode_key(ByteView stored, Key& key) {
  using Unit = typename Key::value_type;
  const auto* data = reinterpret_cast<const Unit*>(stored.data());
  if (stored.empty() || stored[0] != std::byte{0}) {
    key.assign(data, data + stored.size());
    return;
  }
  if (stored.size() == 1) {
    key.clear();
    return;
  }
  if (stored[1] != std::byte{1})
    throw CorruptionError({.where = "an LMDB key",
                           .offset_bytes = 1,
                           .want = "01 after a leading 00",
                           .got = to_hex(stored.subspan(1, 1))});
  key.assign(1, Unit{});
  key.insert(key.end(), data + 2, data + stored.size());
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
