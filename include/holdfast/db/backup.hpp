#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/db/long_work.hpp"

namespace holdfast {

class Database;

/// A backup is one file: the pages of one state of a store, then a digest of them; FORMAT.md lays it out.
struct BackupReport {
  Outcome outcome = Outcome::finished;
  std::uint64_t bytes = 0;        ///< of the backup
  std::uint64_t transaction = 0;  ///< the commit it holds; greater in later backups of the same store
};

/// Writes one state of the store to the new file `path`, while readers and writers go on, reads it back, checks every
/// page of it and syncs it before it has its name. Stopped or killed, it leaves nothing of that name.
/// Errors: IoError: EEXIST where there is something of that name, which stays as it is; CorruptionError when the store,
///         or what was written, is damaged; as begin_read().
HOLDFAST_API BackupReport backup(const Database& db, const std::filesystem::path& path,
                                 const CheckOptions& options = {});

/// The same bytes in order, each piece lent during the call. The store is checked before; what becomes of the bytes is
/// the caller's to verify (check_backup). An exception of `write` passes unchanged.
HOLDFAST_API BackupReport backup(const Database& db, const std::function<void(ByteView)>& write,
                                 const CheckOptions& options = {});

/// Judges a backup file: whether it is whole, by its digest, and every page of the store in it. Never writes.
/// Errors: StateError{foreign, newer_format} for what is no backup; CorruptionError when it was cut or altered;
/// IoError.
[[nodiscard]] HOLDFAST_API CheckReport check_backup(const std::filesystem::path& path,
                                                    const CheckOptions& options = {});

/// Makes a store at `path` of a backup: exactly its tables and entries, and its id. There is nothing at `path` until
/// all of it was verified and synced. The backup is only read. Errors: as check_backup(); CorruptionError for any
/// finding but lost space; IoError: EEXIST where there is something
///         of that name.
HOLDFAST_API BackupReport restore(const std::filesystem::path& backup, const std::filesystem::path& path,
                                  const CheckOptions& options = {});

/// Makes a store at `path` of one state of this one, as small as it can be, with the same id, while readers and writers
/// go on.
/// Errors: as backup().
HOLDFAST_API BackupReport compact_to(const Database& db, const std::filesystem::path& path,
                                     const CheckOptions& options = {});

}  // namespace holdfast
