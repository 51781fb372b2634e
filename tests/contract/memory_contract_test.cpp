#include <gtest/gtest.h>

#include <memory>

#include "holdfast/backend/memory.hpp"
#include "holdfast/testing/backend_contract.hpp"
#include "support/sealed_store.hpp"
#include "support/unlistable_backend.hpp"

namespace holdfast::testing {
namespace {

StoreUnderTest memory() {
  return {.open = [] { return std::make_shared<MemoryBackend>(); }};
}

StoreUnderTest small_memory() {
  return {.open = [] {
    return std::make_shared<MemoryBackend>(MemoryOptions{.max_key_bytes = 40, .max_value_bytes = 400});
  }};
}

StoreUnderTest unlistable_memory() {
  return {.open = [] { return std::make_shared<UnlistableBackend>(std::make_shared<MemoryBackend>()); }};
}

INSTANTIATE_TEST_SUITE_P(Memory, BackendContract,
                         ::testing::Values(BackendFactory{"memory", memory}, BackendFactory{"small", small_memory},
                                           BackendFactory{"sealed", [] { return sealed(memory()); }},
                                           BackendFactory{"smallSealed", [] { return sealed(small_memory()); }},
                                           BackendFactory{"unlistable", unlistable_memory}),
                         factory_name);

}  // namespace
}  // namespace holdfast::testing
