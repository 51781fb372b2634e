#include "holdfast/testing/backend_contract.hpp"
#include "support/backend_stores.hpp"

namespace holdfast::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(File, BackendContract,
                         ::testing::Values(BackendFactory{"plain", [] { return file_store(); }},
                                           BackendFactory{"unsynced", [] { return file_store(Durability::unsynced); }},
                                           BackendFactory{"sealed",
                                                          [] { return sealed(file_store(Durability::unsynced)); }}),
                         factory_name);

}  // namespace
}  // namespace holdfast::testing
