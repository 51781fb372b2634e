#include "holdfast/testing/backend_contract.hpp"
#include "support/backend_stores.hpp"

namespace holdfast::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Lmdb, BackendContract,
                         ::testing::Values(BackendFactory{"plain", [] { return lmdb_store(); }},
                                           BackendFactory{"unsynced", [] { return lmdb_store(Durability::unsynced); }},
                                           BackendFactory{"in_memory", [] { return lmdb_memory_store(); }},
                                           BackendFactory{"sealed",
                                                          [] { return sealed(lmdb_store(Durability::unsynced)); }}),
                         factory_name);

}  // namespace
}  // namespace holdfast::testing
