#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/access.hpp"
#include "holdfast/core/durability.hpp"
#include "holdfast/core/export.hpp"

namespace holdfast {

class FileStore;

/// Where a FileBackend keeps its files, and how.
struct FileOptions {
  std::filesystem::path root{};                ///< the directory; required. It need not exist: the first write makes it
  Durability durability = Durability::synced;  ///< `ordered` is as `synced`
  Access access = Access::read_write;          ///< read_only writes nothing and takes no lock
  bool include_hidden = false;                 ///< names that begin with "." are keys, where they decode
};

/// One file per key, with exactly the value in it, for state that other programs and people read too. File names and
/// contents are those of GraphReFly: `app/settings` is `app%2fsettings.bin`.
///
/// Invariant: a file has its old content or its new one, whole: values are written beside it and renamed over it.
///            What is not a regular file (a link, a directory, a device) is neither followed nor replaced.
/// Owner:     one FileBackend at a time owns a directory, over all processes: it holds a lock on `.holdfast.lock` from
///            construction if the directory exists, else from the first write, until it and its scans and snapshots are
///            gone. Another is StateError{in_use}. Backends with Access::read_only are not counted.
///            Programs that ignore the lock are not harmed, but may see a batch half applied.
/// Threads:   all methods may be called at once. One writes at a time; readers wait for a rename, never for a sync.
/// Durable:   a batch of several keys goes through a journal, `.holdfast-journal`: all of it or none is found after a
///            crash at any moment, by the next owner, who completes it, and by read-only openers, who read through it.
///            With Durability::unsynced nothing is synced but that journal, so that power loss cannot leave a torn one.
/// Errors:    IoError: also ELOOP, EISDIR, EINVAL for a key whose name is not a regular file. LimitError for a key
/// whose
///            encoded name exceeds 255 bytes. UnsupportedError for a key that is not UTF-8. ConflictError also where
///            the directory ignores case and holds a key that differs by case only. CorruptionError for a damaged
///            journal. After an IoError every key has its old value or its new one, a batch all old or all new ones,
///            and the backend goes on. But after a failed sync of what is visible already nobody can say what the disk
///            holds: then every write and flush() is StateError{poisoned} until the directory is opened again; reads go
///            on.
/// Cost:      a write creates, syncs and renames one file; a batch does so for each of its keys and the journal.
/// Reading
///            a key opens its file, or lists the directory when it is not there and the directory has changed. A scan
///            lists the directory once, holds the keys, and reads values one by one. A living snapshot keeps in memory
///            the old value of every key changed since. A read-only backend cannot do that for what the owner changes:
///            its snapshots show values as they are when read.
class HOLDFAST_API FileBackend final : public StorageBackend {
 public:
  /// Errors: OptionError; StateError{in_use}; CorruptionError; IoError. Nothing is created where no directory is.
  explicit FileBackend(FileOptions options);
  ~FileBackend() override;

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override;
  [[nodiscard]] Scan scan(ScanOptions options) const override;
  void write(std::string_view key, ByteView value) override;
  bool erase(std::string_view key) override;
  void apply(const WriteBatch& batch) override;
  [[nodiscard]] std::unique_ptr<const BackendSnapshot> snapshot() const override;
  void flush() override;
  [[nodiscard]] Capabilities capabilities() const noexcept override;
  [[nodiscard]] std::string name() const override;

 private:
  friend struct FileBackendAccess;
  explicit FileBackend(std::shared_ptr<FileStore> store) noexcept;

  std::shared_ptr<FileStore> store_;  ///< shared with scans and snapshots
};

}  // namespace holdfast
