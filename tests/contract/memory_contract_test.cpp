#include "holdfast/testing/backend_contract.hpp"
#include "support/backend_stores.hpp"

namespace holdfast::testing {
namespace {

StoreUnderTest memory() {
  return memory_store();
}

StoreUnderTest small_memory() {
  return memory_store({.max_key_bytes = 40, .max_value_bytes = 400});
}

INSTANTIATE_TEST_SUITE_P(Memory, BackendContract,
                         ::testing::Values(BackendFactory{"plain", memory}, BackendFactory{"small", small_memory},
                                           BackendFactory{"sealed", [] { return sealed(memory()); }},
                                           BackendFactory{"smallSealed", [] { return sealed(small_memory()); }},
                                           BackendFactory{"unlistable", [] { return unlistable(memory()); }}),
                         factory_name);

}  // namespace
}  // namespace holdfast::testing
