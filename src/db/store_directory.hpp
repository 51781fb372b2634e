#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "db/fork_guard.hpp"
#include "holdfast/db/options.hpp"

namespace holdfast::detail {

inline constexpr const char* data_file_name = "data.mdb";
inline constexpr const char* lock_file_name = "LOCK";

/// One of a store's files, which may carry locks. A FIFO of that name is not waited for.
/// Errors: IoError; StateError{foreign} for what is not a regular file.
[[nodiscard]] ProcessFile open_store_file(const std::shared_ptr<FileOps>& ops, const std::filesystem::path& path,
                                          int flags);

/// Which file a store is, whatever path led to it: device and inode of data.mdb.
using StoreIdentity = std::pair<std::uint64_t, std::uint64_t>;

/// The directory of a store on disk: `data.mdb`, `lock.mdb`, `LOCK`. While it lives it shows others that the store is
/// open: flock(LOCK_SH) on LOCK and on data.mdb, exclusive on data.mdb if that has more than one hard link (LMDB names
/// its lock after the path, so two paths to one file would have two writers).
class StoreDirectory {
 public:
  /// The directory's path, absolute and without links; made first, when writing, where it is missing.
  /// Errors: IoError; StateError{foreign} for something else at that path, {remote}.
  [[nodiscard]] static std::filesystem::path resolve(const DatabaseOptions& options,
                                                     const std::shared_ptr<FileOps>& ops);
  /// Which store lies there; nullopt when none does yet.
  [[nodiscard]] static std::optional<StoreIdentity> identify(const std::filesystem::path& path, FileOps& ops);

  /// Whether a store's directory has files of that name.
  [[nodiscard]] static bool is_file_name(std::string_view name) noexcept;

  static constexpr const char* lock_table_name = "lock.mdb";

  /// Takes the locks, creates the store where it is missing and may be created, and judges it.
  /// Errors: IoError, StateError, CorruptionError; nothing is changed in what was found.
  StoreDirectory(std::filesystem::path path, const DatabaseOptions& options, std::shared_ptr<FileOps> ops);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] StoreIdentity identity() const noexcept { return identity_; }
  [[nodiscard]] const File& data() const noexcept { return *data_; }
  [[nodiscard]] const std::shared_ptr<FileOps>& ops() const noexcept { return ops_; }
  /// Whether readers are counted in lock.mdb. Where that is missing, or cannot be written to, a store can still be
  /// opened for reading, uncounted, as long as nobody opens it for writing.
  [[nodiscard]] bool counts_readers() const noexcept { return counts_readers_; }
  /// LOCK, on whose bytes locks are held. Not without counted readers.
  [[nodiscard]] const File& lock_file() const noexcept { return *lock_; }

 private:
  [[nodiscard]] bool lock_table_is_usable() const;
  void open_lock_file(Access access);
  void require_one_data_file() const;
  void require_counted_readers(Access access) const;
  void sweep_and_create(const DatabaseOptions& options);
  void create(const std::filesystem::path& data, const DatabaseOptions& options);
  void open_data();

  std::shared_ptr<FileOps> ops_;
  std::filesystem::path path_;
  ProcessFile lock_;
  ProcessFile data_;
  StoreIdentity identity_{};
  bool counts_readers_ = true;
};

}  // namespace holdfast::detail
