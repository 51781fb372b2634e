#include "holdfast/tier/factories.hpp"

#include "support/temporary_directory.hpp"
#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

TEST(TierFactories, MemoryTiersWorkAtOnce) {
  auto state = memory_snapshot<int>();
  auto log = memory_append_log<int>();
  auto stock = memory_kv<int>({.prefix = "stock/"});
  state.save(1);
  log.append(2);
  stock.save("a", 3);
  EXPECT_EQ(state.load(), 1);
  EXPECT_EQ(values(log), std::vector<int>{2});
  EXPECT_EQ(stock.load("a"), 3);
}

TEST(TierFactories, FileTiersKeepTheirValuesInTheDirectory) {
  const TemporaryDirectory directory;
  file_snapshot<int>(directory.path() / "state").save(1);
  file_append_log<int>(directory.path() / "log", {.form = LogForm::array}).append(2);
  file_kv<int>(directory.path() / "stock").save("a", 3);
  EXPECT_EQ(file_snapshot<int>(directory.path() / "state").load(), 1);
  EXPECT_EQ(values(file_append_log<int>(directory.path() / "log", {.form = LogForm::array})), std::vector<int>{2});
  EXPECT_EQ(file_kv<int>(directory.path() / "stock").load("a"), 3);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "state" / "snapshot.bin"));
}

#ifdef HOLDFAST_WITH_LMDB
TEST(TierFactories, LmdbTiersShareAStore) {
  const TemporaryDirectory directory;
  const auto store = directory.path() / "store";
  auto state = lmdb_snapshot<int>(store);
  auto log = lmdb_append_log<int>(store);
  auto stock = lmdb_kv<int>(store, {.prefix = "stock/"});
  state.save(1);
  log.append(2);
  stock.save("a", 3);
  EXPECT_EQ(lmdb_snapshot<int>(store).load(), 1);
  EXPECT_EQ(values(lmdb_append_log<int>(store)), std::vector<int>{2});
  EXPECT_EQ(lmdb_kv<int>(store).load("stock/a"), 3);
}
#endif

}  // namespace
}  // namespace holdfast::testing
