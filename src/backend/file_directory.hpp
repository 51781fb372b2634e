#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/file_name.hpp"
#include "core/file_io.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/clock.hpp"

namespace holdfast {

/// Whether a write reaches the device before it goes on.
enum class Syncing { now, later };

/// The files of one directory as values by key: which names a key has, which it prefers, what may be touched. It
/// knows nothing of owners, batches and snapshots. A directory that does not exist has no keys.
///
/// A key is usually looked up under its canonical name alone. Other spellings are found by listing the directory; the
/// listing is kept as long as the directory's time of change stands still, and our own changes do not count.
/// Threads: all const methods may be called at once, also while one thread calls the others.
class FileDirectory {
 public:
  struct Seams {
    std::shared_ptr<FileOps> ops{};
    std::shared_ptr<const Clock> clock{};
  };

  /// The name under which a key is found, and what it is.
  struct Location {
    std::string name{};
    FileKind kind = FileKind::absent;
  };

  FileDirectory(Seams seams, std::filesystem::path path, file_name::HiddenNames hidden);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const std::shared_ptr<FileOps>& ops() const noexcept { return seams_.ops; }
  [[nodiscard]] bool exists() const;

  /// Errors: UnsupportedError for a key that is not UTF-8, LimitError for one whose name would be too long.
  void check_key(std::string_view key) const;

  /// The canonical name when it exists, else the first of the foreign spellings; nullopt when there is none.
  [[nodiscard]] std::optional<Location> locate(std::string_view key) const;
  /// Every name of the key, preferred first. Errors: IoError when one is not a regular file.
  [[nodiscard]] std::vector<std::string> names_of(std::string_view key) const;
  /// The file of a location. Errors: IoError ELOOP, EISDIR, EINVAL when it is not a regular file.
  [[nodiscard]] std::optional<File> open(const Location& location) const;
  /// The keys that names spell, sorted, each once; whether they are regular files is not looked at.
  [[nodiscard]] std::vector<std::string> keys() const;

  /// Errors: ConflictError when the directory takes the key's name and that of another, stored key for the same.
  void check_case(std::string_view key) const;
  [[nodiscard]] bool ignores_case() const;

  void remove(std::string_view name);
  /// A name for a temporary file that this object has not given before.
  [[nodiscard]] std::filesystem::path temporary_path() const;

 private:
  struct Listing {
    std::int64_t modified_ns = 0;  ///< the directory's time of change when it was read, or after our own last change
    std::int64_t others_modified_ns = 0;  ///< the last such time that was not of our making
    bool settled = false;                 ///< old enough that whatever others change shows in the time
    std::map<std::string, std::vector<std::string>, std::less<>> foreign{};  ///< by key, sorted
    std::map<std::string, std::string, std::less<>> by_folded{};  ///< actual names, where the directory ignores case
  };

 public:
  /// Lives while the owner changes the directory: it adds canonical names only, so the kept listing stays good.
  class OwnChange {
   public:
    explicit OwnChange(FileDirectory& directory);
    ~OwnChange();
    OwnChange(const OwnChange&) = delete;
    OwnChange& operator=(const OwnChange&) = delete;

   private:
    FileDirectory& directory_;
    std::shared_ptr<const Listing> kept_;
  };

 private:
  enum class CaseRule { unknown, told_apart, ignored };

  [[nodiscard]] std::optional<std::int64_t> modified_ns() const;
  [[nodiscard]] std::shared_ptr<const Listing> listing() const;
  [[nodiscard]] Listing read_listing(std::int64_t modified_ns, std::int64_t others_modified_ns) const;
  void probe_case(const std::vector<std::string>& names) const;
  [[nodiscard]] bool spells(const Listing& listing, std::string_view name, std::string_view key) const;
  [[nodiscard]] std::vector<std::string> candidates(std::string_view key) const;

  Seams seams_;
  std::filesystem::path path_;
  file_name::HiddenNames hidden_;
  mutable std::atomic<CaseRule> case_rule_ = CaseRule::unknown;
  mutable std::atomic<std::uint64_t> temporaries_ = 0;
  mutable std::mutex mutex_;  ///< guards listing_
  mutable std::shared_ptr<const Listing> listing_;
};

/// A file on its way: a temporary sibling, complete, and synced where asked; removed again unless it is published.
class StagedFile {
 public:
  /// Errors: IoError, and nothing is left behind, or a temporary name that the next owner sweeps.
  StagedFile(const FileDirectory& directory, ByteView content, Syncing syncing);
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  /// Takes the place of whatever regular file has that name.
  void publish(std::string_view name);

 private:
  explicit StagedFile(const FileDirectory& directory) : directory_(directory) {}
  void create();

  const FileDirectory& directory_;
  std::filesystem::path path_;
  std::optional<File> file_;
  bool staged_ = false;  ///< the temporary name is there, as far as we know
};

}  // namespace holdfast
