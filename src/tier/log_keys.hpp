#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/core/bytes.hpp"

namespace holdfast::detail {

/// The keys of an append log in entries form:
///   <name>/head                              the highest sequence ever given
///   <name>/e/<20 digits>                     an entry without bucket
///   <name>/b/<bucket, escaped>/<20 digits>   an entry of a bucket
/// Any other key is not the log's, whatever it begins with.
class LogKeys {
 public:
  explicit LogKeys(const std::string& name) : head_(name + "/head"), plain_(name + "/e/"), buckets_(name + "/b/") {}

  [[nodiscard]] const std::string& head() const noexcept { return head_; }
  /// What keys of entries without bucket begin with, and what keys of entries of any bucket begin with.
  [[nodiscard]] const std::string& plain() const noexcept { return plain_; }
  [[nodiscard]] const std::string& buckets() const noexcept { return buckets_; }
  /// What the keys of the entries of `bucket` begin with; nullopt is the entries without one.
  [[nodiscard]] std::string entries(const std::optional<std::string>& bucket) const;

  [[nodiscard]] std::string entry(const std::optional<std::string>& bucket, std::uint64_t sequence) const;

  /// The bucket of a key that begins with buckets() and is an entry's; nullopt for any other.
  [[nodiscard]] std::optional<std::string> bucket_of(std::string_view key) const;

 private:
  std::string head_;
  std::string plain_;
  std::string buckets_;
};

/// 20 digits, so that byte order is number order.
[[nodiscard]] std::string sequence_digits(std::uint64_t sequence);

/// The sequence that exactly 20 digits spell; nullopt for anything else, also for 0 and what 64 bits do not hold.
[[nodiscard]] std::optional<std::uint64_t> parse_sequence(std::string_view digits);

/// What a log's head says.
struct LogHead {
  std::uint64_t sequence = 0;  ///< the highest ever given
  std::string attempt{};       ///< 16 hexadecimal digits, random: which write of the head this was
};

[[nodiscard]] Bytes encode_head(const LogHead& head);

/// Errors: CorruptionError that names `where`.
[[nodiscard]] LogHead decode_head(ByteView bytes, const std::string& where);

}  // namespace holdfast::detail
