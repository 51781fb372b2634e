#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "holdfast/backend/file.hpp"
#include "holdfast/backend/memory.hpp"
#include "holdfast/tier/append_log.hpp"
#include "holdfast/tier/kv.hpp"
#include "holdfast/tier/snapshot.hpp"
#ifdef HOLDFAST_WITH_LMDB
#include "holdfast/backend/lmdb.hpp"
#endif

/// One line for the common case: one tier on a backend of its own, with the backend's default options. For several
/// tiers on one backend, make the backend and hand it to each, or to a CommitGroup.
/// Errors: those of the backend's and the tier's constructors.
namespace holdfast {

template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] SnapshotTier<T, Codec> memory_snapshot(SnapshotOptions<T> options = {}, Codec codec = {}) {
  return SnapshotTier<T, Codec>(std::make_shared<MemoryBackend>(), std::move(options), std::move(codec));
}

template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] AppendLogTier<T, Codec> memory_append_log(AppendLogOptions<T> options = {}, Codec codec = {}) {
  return AppendLogTier<T, Codec>(std::make_shared<MemoryBackend>(), std::move(options), std::move(codec));
}

template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] KvTier<T, Codec> memory_kv(KvOptions<T> options = {}, Codec codec = {}) {
  return KvTier<T, Codec>(std::make_shared<MemoryBackend>(), std::move(options), std::move(codec));
}

/// `directory` as FileOptions::root: it is made by the first write, and has one owner at a time.
template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] SnapshotTier<T, Codec> file_snapshot(const std::filesystem::path& directory,
                                                   SnapshotOptions<T> options = {}, Codec codec = {}) {
  return SnapshotTier<T, Codec>(std::make_shared<FileBackend>(FileOptions{.root = directory}), std::move(options),
                                std::move(codec));
}

template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] AppendLogTier<T, Codec> file_append_log(const std::filesystem::path& directory,
                                                      AppendLogOptions<T> options = {}, Codec codec = {}) {
  return AppendLogTier<T, Codec>(std::make_shared<FileBackend>(FileOptions{.root = directory}), std::move(options),
                                 std::move(codec));
}

template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] KvTier<T, Codec> file_kv(const std::filesystem::path& directory, KvOptions<T> options = {},
                                       Codec codec = {}) {
  return KvTier<T, Codec>(std::make_shared<FileBackend>(FileOptions{.root = directory}), std::move(options),
                          std::move(codec));
}

#ifdef HOLDFAST_WITH_LMDB

/// `store` as LmdbOptions::path: it is made when it does not exist; others may have it open.
template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] SnapshotTier<T, Codec> lmdb_snapshot(const std::filesystem::path& store, SnapshotOptions<T> options = {},
                                                   Codec codec = {}) {
  return SnapshotTier<T, Codec>(std::make_shared<LmdbBackend>(LmdbOptions{.path = store}), std::move(options),
                                std::move(codec));
}

template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] AppendLogTier<T, Codec> lmdb_append_log(const std::filesystem::path& store,
                                                      AppendLogOptions<T> options = {}, Codec codec = {}) {
  return AppendLogTier<T, Codec>(std::make_shared<LmdbBackend>(LmdbOptions{.path = store}), std::move(options),
                                 std::move(codec));
}

template <class T, class Codec = JsonCodec<T>>
[[nodiscard]] KvTier<T, Codec> lmdb_kv(const std::filesystem::path& store, KvOptions<T> options = {},
                                       Codec codec = {}) {
  return KvTier<T, Codec>(std::make_shared<LmdbBackend>(LmdbOptions{.path = store}), std::move(options),
                          std::move(codec));
}

#endif

}  // namespace holdfast
