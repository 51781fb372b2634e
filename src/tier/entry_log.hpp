#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tier/log_core.hpp"
#include "tier/log_keys.hpp"

namespace holdfast::detail {

/// An append log with one key per entry.
///
/// Entries get their numbers when they are written: above the head, which the same batch moves up under the condition
/// that it still holds the bytes we know. A conflict means that the head has moved. Either an earlier attempt of ours,
/// which seemed to fail, is stored after all: then the head holds that attempt's bytes, which no one else writes, and
/// its entries are done. Or another writer was first: then new numbers above its head, and again.
/// After a failure that is no conflict the numbers stay, because what we know of the head does.
class EntryLogCore final : public LogCore {
 public:
  EntryLogCore(std::shared_ptr<CommitUnit> unit, std::string name, Cadence cadence,
               std::shared_ptr<const Entropy> entropy);

  void check(const RawLogEntry& entry) const override;
  [[nodiscard]] std::unique_ptr<LogCursor> scan(const LogScanOptions& options) const override;
  [[nodiscard]] std::uint64_t last_sequence() const override;
  void truncate_before(std::uint64_t sequence) override;

 private:
  struct Head {
    std::optional<Bytes> bytes{};  ///< as stored; nullopt when absent
    std::uint64_t sequence = 0;
  };
  struct Attempt {
    std::uint64_t number = 0;
    Head head{};  ///< as it is if the attempt is stored
  };

  std::uint64_t prepare() override;
  void assemble(std::uint64_t attempt, WriteBatch& batch) override;
  void written(std::uint64_t attempt) override;
  void forget_attempts() override { attempts_.clear(); }
  bool has_moved() override;

  [[nodiscard]] Head read_head() const;
  /// Errors: CorruptionError for entries without a head: numbering anew would overwrite them.
  [[nodiscard]] Head read_sound_head() const;
  [[nodiscard]] std::vector<std::string> keys_before(std::uint64_t sequence) const;
  [[nodiscard]] std::string new_attempt_mark() const;

  LogKeys keys_;
  std::shared_ptr<const Entropy> entropy_;

  // Guarded by the flush lock.
  std::optional<Head> head_;             // as last seen or written; nullopt: to be read
  std::vector<std::string> truncation_;  // the keys that the flush in preparation erases

  std::vector<Attempt> attempts_;  // since head_ was seen; guarded by the pending lock
};

}  // namespace holdfast::detail
