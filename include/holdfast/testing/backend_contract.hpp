#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/testing/backend_factory.hpp"

/// What every StorageBackend promises, as a GoogleTest suite to run on yours. In one source file of a test program:
///
///   using holdfast::testing::BackendContract;
///   INSTANTIATE_TEST_SUITE_P(Mine, BackendContract, ::testing::Values(my_factory), holdfast::testing::factory_name);
///
/// Limits and abilities are taken from capabilities(): what a backend says it cannot do must be refused, all else must
/// work.
namespace holdfast::testing {

class BackendContract : public ::testing::TestWithParam<BackendFactory> {
 protected:
  using Keys = std::vector<std::string>;

  /// The value as text; nullopt when absent.
  static std::optional<std::string> text(const BackendReader& reader, std::string_view key) {
    const std::optional<Bytes> value = reader.read(key);
    return value ? std::optional(to_text(*value)) : std::nullopt;
  }
  std::optional<std::string> text(std::string_view key) const { return text(*backend_, key); }
  void put(std::string_view key, std::string_view value) { backend_->write(key, as_bytes(value)); }

  static Keys listed(const BackendReader& reader, ScanOptions options = {}) {
    Keys keys;
    for (const Entry& entry : reader.scan(std::move(options))) keys.push_back(entry.key);
    return keys;
  }
  Keys listed(ScanOptions options = {}) const { return listed(*backend_, std::move(options)); }

  /// Whether the backend lists. One that does not must say so at the first scan, of itself and of its snapshots.
  bool lists() const {
    if (can_.listing) return true;
    EXPECT_THROW(static_cast<void>(listed()), UnsupportedError);
    EXPECT_THROW(static_cast<void>(listed(*backend_->snapshot())), UnsupportedError);
    return false;
  }

  /// The batch must be a conflict about `key`.
  void expect_conflict(std::string_view key, const WriteBatch& batch) {
    try {
      backend_->apply(batch);
      ADD_FAILURE() << "applied, although its precondition on \"" << key << "\" does not hold";
    } catch (const ConflictError& conflict) {
      EXPECT_EQ(conflict.facts().key, key);
    }
  }

  /// The call must be refused with a LimitError that says by how much.
  template <class Call>
  static void expect_one_beyond_the_limit(Call call) {
    try {
      call();
      ADD_FAILURE() << "a limit was passed without an error";
    } catch (const LimitError& error) {
      EXPECT_FALSE(error.facts().limit.empty());
      EXPECT_EQ(error.facts().actual, error.facts().maximum + 1);
      EXPECT_EQ(error.facts().unit, "bytes");
    }
  }

  StoreUnderTest store_ = GetParam().make();
  std::shared_ptr<StorageBackend> backend_ = store_.open();
  const Capabilities can_ = backend_->capabilities();
};

}  // namespace holdfast::testing

#include "holdfast/testing/detail/backend_contract_scans.hpp"
#include "holdfast/testing/detail/backend_contract_values.hpp"
#include "holdfast/testing/detail/backend_contract_writes.hpp"
