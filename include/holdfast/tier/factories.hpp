#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "holdfast/backend/memory.hpp"
#include "holdfast/tier/append_log.hpp"
#include "holdfast/tier/kv.hpp"
#include "holdfast/tier/snapshot.hpp"

/// One line for the common case: one tier on a backend of its own. For several tiers on one backend, make the backend
/// and hand it to each, or to a CommitGroup. Options and errors are those of the tier and of the backend.
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

}  // namespace holdfast
