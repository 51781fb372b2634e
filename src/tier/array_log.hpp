#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/core/sha256.hpp"
#include "tier/log_core.hpp"

namespace holdfast::detail {

/// An append log as one JSON array per key: under the name, or under the keys that key_of gives. What is there stays
/// as it is spelled; entries are added behind it, under the condition that it still holds the bytes that were read.
/// Every flush reads the arrays anew: one that holds the bytes of an earlier attempt of ours, which seemed to fail,
/// says that it is stored.
class ArrayLogCore final : public LogCore {
 public:
  /// Errors: OptionError when the codec does not write JSON.
  ArrayLogCore(std::shared_ptr<CommitUnit> unit, std::string name, Cadence cadence, const LogShape& shape);

  void check(const RawLogEntry& entry) const override;
  [[nodiscard]] std::unique_ptr<LogCursor> scan(const LogScanOptions& options) const override;
  [[nodiscard]] std::uint64_t last_sequence() const override;
  void truncate_before(std::uint64_t sequence) override;

 private:
  /// A stored array, checked to be one.
  struct Stored {
    std::optional<Bytes> bytes{};  ///< nullopt when absent
    std::size_t open_bytes = 0;    ///< how much of it stands before the closing bracket
    bool has_elements = false;
  };
  struct Attempt {
    std::uint64_t number = 0;
    std::map<std::string, Digest> written{};
  };

  std::uint64_t prepare() override;
  void assemble(std::uint64_t attempt, WriteBatch& batch) override;
  void written(std::uint64_t attempt) override;
  void forget_attempts() override { attempts_.clear(); }
  bool has_moved() override;

  [[nodiscard]] std::string where(const std::string& key) const;
  [[nodiscard]] Stored read_array(const std::string& key) const;
  [[nodiscard]] const std::string& key_of(const Pending::Append& append) const;

  ArrayMode mode_;
  bool buckets_;

  std::map<std::string, Stored> stored_;  // what the flush in preparation adds to; guarded by the flush lock
  std::vector<Attempt> attempts_;         // that may be stored; guarded by the pending lock
};

}  // namespace holdfast::detail
