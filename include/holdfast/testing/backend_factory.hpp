#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "holdfast/backend/backend.hpp"

/// What a suite that runs on every backend is instantiated with.
namespace holdfast::testing {

/// One store, new and empty, for one test. What it needs (a directory) may live in the functions' captures.
struct StoreUnderTest {
  /// Opens it. Called again, to reopen a persistent store, after the backend of the call before has been destroyed.
  std::function<std::shared_ptr<StorageBackend>()> open{};
  /// Changes the stored bytes of the value of `key` underneath the backend. Left out where rot is not detected.
  std::function<void(std::string_view key)> damage{};
};

struct BackendFactory {
  std::string name{};  ///< letters and digits: part of the test's name
  std::function<StoreUnderTest()> make{};
};

/// The name of an instance, as INSTANTIATE_TEST_SUITE_P wants it.
inline constexpr auto factory_name = [](const auto& info) { return info.param.name; };

}  // namespace holdfast::testing
