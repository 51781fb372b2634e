#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

class CadenceTest : public TierTest {
 protected:
  /// Appends `count` entries in one call and says whether they were flushed.
  static bool flushes(AppendLogTier<int>& log, std::size_t count) {
    const std::vector<int> batch(count, 1);
    log.append(batch);
    return !log.has_pending();
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, CadenceTest, ::testing::ValuesIn(store_kinds()), store_name);

TEST_P(CadenceTest, ABatchFlushesWhenTheQuotientOfAcceptedWritesChanges) {
  AppendLogTier<int> log(backend(), {.debounce = true, .compact_every = 3});
  EXPECT_TRUE(flushes(log, 5)) << "0 to 5";
  EXPECT_TRUE(flushes(log, 1)) << "5 to 6";
  EXPECT_FALSE(flushes(log, 2)) << "6 to 8";
  EXPECT_TRUE(flushes(log, 1)) << "8 to 9";
  EXPECT_FALSE(flushes(log, 2)) << "9 to 11";
  EXPECT_TRUE(flushes(log, 7)) << "11 to 18";
  EXPECT_EQ(log.last_sequence(), 18U);
}

TEST_P(CadenceTest, WhatTheFilterRefusesDoesNotCount) {
  AppendLogTier<int> log(backend(),
                         {.debounce = true, .compact_every = 3, .filter = [](int number) { return number > 0; }});
  const std::vector<int> mixed{0, 1, 0, 1, 0};
  EXPECT_EQ(log.append(mixed), 2U);
  EXPECT_TRUE(log.has_pending());
  EXPECT_FALSE(log.append(0));
  EXPECT_TRUE(log.has_pending());
  EXPECT_TRUE(log.append(1));
  EXPECT_FALSE(log.has_pending());
}

TEST_P(CadenceTest, AnExplicitFlushAndARollbackDoNotResetTheCount) {
  TextKv stock(backend(), {.debounce = true, .compact_every = 3});
  stock.save("a", "1");
  stock.flush();
  stock.save("b", "2");
  stock.rollback();
  EXPECT_FALSE(stock.has_pending());
  stock.save("c", "3");
  EXPECT_EQ(stored_keys(), (Texts{"a", "c"}));
}

TEST_P(CadenceTest, WithoutDebounceEveryWriteIsStoredWhenItReturns) {
  TextKv stock(backend(), {.compact_every = 100});
  stock.save("a", "1");
  EXPECT_EQ(stored_keys(), Texts{"a"});
}

TEST_P(CadenceTest, AFailedFlushOfTheCadenceKeepsAllAndTheNextWritesRetryAtTheNextMultiple) {
  TextKv stock(backend(), {.debounce = true, .compact_every = 2});
  stock.save("a", "1");
  backend()->fail_every(Operation::apply);
  EXPECT_THROW(stock.save("b", "2"), IoError);
  backend()->heal();
  stock.save("c", "3");
  EXPECT_EQ(stored_keys(), Texts{});
  stock.save("d", "4");
  EXPECT_EQ(stored_keys(), (Texts{"a", "b", "c", "d"}));
}

}  // namespace
}  // namespace holdfast::testing
