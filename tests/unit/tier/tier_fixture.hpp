#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/backend/memory.hpp"
#include "holdfast/codec/raw.hpp"
#include "holdfast/tier/append_log.hpp"
#include "holdfast/tier/commit_group.hpp"
#include "holdfast/tier/kv.hpp"
#include "holdfast/tier/snapshot.hpp"
#include "support/faulty_backend.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast::testing {

using Text = std::string;
using TextKv = KvTier<Text, RawCodec<Text>>;
using TextSnapshot = SnapshotTier<Text, RawCodec<Text>>;
using TextLog = AppendLogTier<Text, RawCodec<Text>>;
using Operation = FaultyBackend::Operation;
using Moment = FaultyBackend::Moment;

enum class StoreKind { memory, file, lmdb };

/// A backend of the kind under test on a directory of its own, behind one that fails as told.
class TierTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  TierTest() { open(); }

  /// Closes the backend and opens it again on what it stored. Tiers must be gone. Memory keeps its backend.
  void restart();

  [[nodiscard]] const std::shared_ptr<FaultyBackend>& backend() const { return faulty_; }
  /// The backend beneath: what is stored, whatever fails above.
  [[nodiscard]] const std::shared_ptr<StorageBackend>& stored() const { return inner_; }

  [[nodiscard]] std::vector<std::string> stored_keys() const {
    std::vector<std::string> keys;
    Scan scan = inner_->keys();
    for (const Entry& entry : scan) keys.push_back(entry.key);
    return keys;
  }

 private:
  void open();

  TemporaryDirectory directory_;
  std::shared_ptr<StorageBackend> inner_;
  std::shared_ptr<FaultyBackend> faulty_;
};

template <class T, class Codec>
std::vector<T> values(const AppendLogTier<T, Codec>& log, const LogScanOptions& options = {}) {
  std::vector<T> found;
  auto entries = log.scan(options);
  for (const LogEntry<T>& entry : entries) found.push_back(entry.value);
  return found;
}

template <class T, class Codec>
std::vector<std::uint64_t> sequences(const AppendLogTier<T, Codec>& log, const LogScanOptions& options = {}) {
  std::vector<std::uint64_t> found;
  auto entries = log.scan(options);
  for (const LogEntry<T>& entry : entries) found.push_back(entry.sequence);
  return found;
}

using Texts = std::vector<Text>;
using Numbers = std::vector<std::uint64_t>;

/// The kinds that this build has.
[[nodiscard]] std::vector<StoreKind> store_kinds();
[[nodiscard]] std::string store_name(const ::testing::TestParamInfo<StoreKind>& info);

}  // namespace holdfast::testing
