#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/db/long_work.hpp"
#include "holdfast/seal/seal.hpp"

namespace holdfast {

enum class FindingKind {
  damage,      ///< something stored is not what was written, or cannot be reached
  lost_space,  ///< pages that are neither used nor free: wasted until the store is compacted, and no more
};

/// One thing in a store that is not as it should be, and where.
struct CheckFinding {
  FindingKind kind = FindingKind::damage;
  std::string table{};                  ///< the table's name; "free list", "list of tables", "holdfast.meta"
  std::optional<std::uint64_t> page{};  ///< number of the page in data.mdb
  std::optional<Bytes> key{};           ///< as stored
  std::string want{};                   ///< what a sound store has there
  std::string got{};                    ///< what was found: numbers, lengths, digests, keys, never a value

  /// Table, page and key, as far as known.
  [[nodiscard]] HOLDFAST_API std::string where() const;
  /// All of it in one line.
  [[nodiscard]] HOLDFAST_API std::string describe() const;
};

/// What a check found.
struct CheckReport {
  Outcome outcome = Outcome::finished;
  std::vector<CheckFinding> findings{};
  std::uint64_t more_findings = 0;        ///< beyond CheckOptions::max_findings: counted, not kept
  std::vector<std::string> not_opened{};  ///< tables whose seal is not known here: their values were not verified
  std::uint64_t pages_visited = 0;
  std::uint64_t free_pages = 0;
  std::uint64_t entries = 0;  ///< of all tables

  /// Nothing was found. After a stop, or in a part: in what was visited.
  [[nodiscard]] bool is_sound() const noexcept { return findings.empty() && more_findings == 0; }
  /// Something stored is not what was written.
  [[nodiscard]] HOLDFAST_API bool is_damaged() const noexcept;
};

struct CheckOptions {
  /// To verify sealed tables with, beside the library's own; found by name.
  std::vector<std::shared_ptr<const Seal>> seals{};
  std::size_t max_findings = 1000;
  LongWork work{};  ///< progress in pages
};

/// Where a check in parts goes on. Keep it between the calls, and across runs of the program if you like: it refers to
/// keys, not to pages. A new one begins at the beginning.
struct CheckCursor {
  std::string tree{};        ///< LMDB database whose turn it is; "" for the first
  Bytes after{};             ///< the last key visited of it
  std::uint64_t rounds = 0;  ///< how often the end of the store was reached
};

/// Checks the store at `path` where no Database can be opened any more; otherwise use Database::check(). Reads with
/// pread and never writes; it holds the store alone meanwhile.
/// Errors: StateError{in_use} while somebody has the store open; {foreign, newer_format} for another program's or
///         version's file; IoError when there is no such store. Damage of any kind is a finding.
[[nodiscard]] HOLDFAST_API CheckReport check(const std::filesystem::path& path, const CheckOptions& options = {});

}  // namespace holdfast
