#pragma once

#include <cstdint>
#include <filesystem>
#include <holdfast/holdfast.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "records.hpp"
#include "walk.hpp"

namespace inventory {

enum class BackendKind { lmdb, file, memory };

/// Opens what `kind` says at `path`; a memory backend has no path and begins empty.
std::shared_ptr<holdfast::StorageBackend> open_backend(BackendKind kind, const std::filesystem::path& path,
                                                       holdfast::Access access);

/// Three tiers over one backend, in one commit group: a commit has all of a group of files, or none of it.
class Store {
 public:
  explicit Store(const std::shared_ptr<holdfast::StorageBackend>& backend)
      : group(backend),
        files(group, {.prefix = "file/", .debounce = true}),
        changes(group, {.name = "changes", .debounce = true}),
        totals(group, {.name = "totals", .debounce = true}) {}

  holdfast::CommitGroup group;
  holdfast::KvTier<FileRecord> files;       ///< path -> what is known of it
  holdfast::AppendLogTier<Change> changes;  ///< everything that ever happened
  holdfast::SnapshotTier<Totals> totals;    ///< the sum of `files`, at every commit
};

/// The first disagreement among the three tiers, in words; nullopt when the totals are the sum of the records and the
/// log replays to exactly these records.
std::optional<std::string> disagreement(const Store& store);

}  // namespace inventory
