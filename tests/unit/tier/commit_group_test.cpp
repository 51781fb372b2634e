#include <stdexcept>
#include <thread>

#include "support/unlistable_backend.hpp"
#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

class CommitGroupTest : public TierTest {
 protected:
  /// The batches that reach the backend, whatever becomes of them.
  std::size_t applies_during(const std::function<void()>& work) {
    std::size_t applies = 0;
    backend()->fail_when([&](const FaultyBackend::Call& call) {
      if (call.operation == Operation::apply) ++applies;
      return false;
    });
    work();
    backend()->heal();
    return applies;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, CommitGroupTest, ::testing::ValuesIn(store_kinds()), store_name);

struct Members {
  explicit Members(const CommitGroup& group)
      : stock(group, {.prefix = "stock/", .debounce = true}),
        total(group, {.name = "total", .debounce = true}),
        log(group, {.name = "log", .debounce = true}) {}

  void write(const Text& text) {
    stock.save(text, text);
    total.save(text);
    log.append(text);
  }

  TextKv stock;
  TextSnapshot total;
  TextLog log;
};

TEST_P(CommitGroupTest, AFlushOfTheGroupOrOfAnyMemberIsOneBatchOfAll) {
  CommitGroup group(backend());
  Members tiers(group);
  int round = 0;
  for (const std::function<void()>& flush :
       {std::function<void()>([&] { group.flush(); }), std::function<void()>([&] { tiers.stock.flush(); }),
        std::function<void()>([&] { tiers.total.flush(); }), std::function<void()>([&] { tiers.log.flush(); })}) {
    const Text text = std::to_string(++round);
    tiers.write(text);
    EXPECT_FALSE(tiers.stock.load(text));
    EXPECT_EQ(applies_during(flush), 1U);
    EXPECT_EQ(tiers.stock.load(text), text);
    EXPECT_EQ(tiers.total.load(), text);
    EXPECT_EQ(tiers.log.last_sequence(), static_cast<std::uint64_t>(round));
  }
}

TEST_P(CommitGroupTest, TheCadenceOfAMemberFlushesTheGroup) {
  CommitGroup group(backend());
  TextKv slow(group, {.prefix = "slow/", .debounce = true});
  TextKv quick(group, {.prefix = "quick/", .debounce = true, .compact_every = 2});
  slow.save("a", "1");
  quick.save("a", "1");
  EXPECT_EQ(stored_keys(), Texts{});
  EXPECT_EQ(applies_during([&] { quick.save("b", "2"); }), 1U);
  EXPECT_EQ(stored_keys(), (Texts{"quick/a", "quick/b", "slow/a"}));
}

TEST_P(CommitGroupTest, AWriteThroughMemberFlushesTheGroup) {
  CommitGroup group(backend());
  TextKv slow(group, {.prefix = "slow/", .debounce = true});
  TextKv through(group, {.prefix = "through/"});
  slow.save("a", "1");
  through.save("b", "2");
  EXPECT_EQ(stored_keys(), (Texts{"slow/a", "through/b"}));
}

TEST_P(CommitGroupTest, ErasesAndTruncationsWaitLikeSaves) {
  CommitGroup group(backend());
  Members tiers(group);
  tiers.write("a");
  tiers.write("b");
  group.flush();
  EXPECT_TRUE(tiers.stock.erase("a"));
  tiers.log.truncate_before(2);
  EXPECT_EQ(tiers.stock.load("a"), "a");
  EXPECT_EQ(values(tiers.log), (Texts{"a", "b"}));
  tiers.stock.rollback();
  EXPECT_EQ(applies_during([&] { group.flush(); }), 1U);
  EXPECT_EQ(tiers.stock.load("a"), "a") << "the erase was rolled back";
  EXPECT_EQ(values(tiers.log), Texts{"b"});

  tiers.stock.erase("a");
  tiers.stock.save("b", "newer");
  tiers.stock.erase("b");
  tiers.stock.erase("c");
  tiers.stock.save("c", "saved again");
  group.flush();
  EXPECT_EQ(tiers.stock.load("a"), std::nullopt);
  EXPECT_EQ(tiers.stock.load("b"), std::nullopt);
  EXPECT_EQ(tiers.stock.load("c"), "saved again");
}

TEST_P(CommitGroupTest, ATruncationThatIsTriedAgainErasesNothingAppendedSince) {
  CommitGroup group(backend());
  Members tiers(group);
  tiers.write("1");
  group.flush();
  tiers.log.truncate_before(100);
  tiers.log.append("2");
  backend()->fail_every(Operation::apply, Moment::after);
  EXPECT_THROW(group.flush(), IoError);
  backend()->heal();
  tiers.log.append("3");
  group.flush();
  EXPECT_EQ(values(tiers.log), (Texts{"2", "3"}));
  EXPECT_EQ(sequences(tiers.log), (Numbers{2, 3}));
}

TEST_P(CommitGroupTest, AFailedFlushKeepsEverythingOfAllMembersAndNewerWritesWin) {
  for (const Moment moment : {Moment::before, Moment::after}) {
    SCOPED_TRACE(moment == Moment::before ? "failed before it was stored" : "stored, and reported as failed");
    CommitGroup group(backend());
    Members tiers(group);
    const Numbers before = sequences(tiers.log);
    tiers.write("a");
    backend()->fail_every(Operation::apply, moment);
    EXPECT_THROW(group.flush(), IoError);
    EXPECT_TRUE(tiers.stock.has_pending());
    tiers.stock.save("a", "newer");
    tiers.log.append("b");
    backend()->heal();
    group.flush();
    EXPECT_EQ(tiers.stock.load("a"), "newer");
    EXPECT_EQ(tiers.total.load(), "a");
    EXPECT_EQ(values(tiers.log, {.after = before.size()}), (Texts{"a", "b"}));
    EXPECT_FALSE(tiers.stock.has_pending());
  }
}

TEST_P(CommitGroupTest, WhatALostAcknowledgementStoredIsNotWrittenAgainOverAnothersValue) {
  CommitGroup group(backend());
  Members tiers(group);
  tiers.write("a");
  backend()->fail_every(Operation::apply, Moment::after);
  EXPECT_THROW(group.flush(), IoError);
  backend()->heal();
  stored()->write("stock/a", as_bytes("another's"));
  group.flush();
  EXPECT_EQ(tiers.stock.load("a"), "another's");
  EXPECT_EQ(values(tiers.log), Texts{"a"});
}

TEST_P(CommitGroupTest, AConflictOnOneLogRenumbersItAndStillWritesAllAtOnce) {
  CommitGroup group(backend());
  Members tiers(group);
  TextLog other_writer(backend(), {.name = "log"});
  tiers.write("1");
  group.flush();
  other_writer.append("2");
  tiers.write("3");
  group.flush();
  EXPECT_EQ(values(tiers.log), (Texts{"1", "2", "3"}));
  EXPECT_EQ(tiers.stock.load("3"), "3");
  EXPECT_EQ(tiers.total.load(), "3");
}

TEST_P(CommitGroupTest, RollbackOfTheGroupDropsAllOfAMemberOnlyItsOwn) {
  CommitGroup group(backend());
  Members tiers(group);
  tiers.write("a");
  tiers.stock.rollback();
  group.flush();
  EXPECT_EQ(tiers.stock.load("a"), std::nullopt);
  EXPECT_EQ(tiers.total.load(), "a");
  tiers.write("b");
  group.rollback();
  group.flush();
  EXPECT_EQ(tiers.total.load(), "a");
  EXPECT_EQ(values(tiers.log), Texts{"a"});
}

TEST_P(CommitGroupTest, UpdateIsOneBatchAndReturnsWhatItsFunctionReturns) {
  CommitGroup group(backend());
  Members tiers(group);
  TextKv through(group, {.prefix = "through/"});
  const auto applies = applies_during([&] {
    const std::string result = group.update([&] {
      tiers.write("a");
      through.save("b", "b");
      through.erase("c");
      EXPECT_EQ(stored_keys(), Texts{}) << "nothing is stored before the end";
      return std::string("done");
    });
    EXPECT_EQ(result, "done");
  });
  EXPECT_EQ(applies, 1U);
  EXPECT_EQ(tiers.stock.load("a"), "a");
  EXPECT_EQ(through.load("b"), "b");
  EXPECT_EQ(values(tiers.log), Texts{"a"});
}

TEST_P(CommitGroupTest, UpdateThatThrowsDropsWhatItDidAndKeepsWhatWasPending) {
  CommitGroup group(backend());
  Members tiers(group);
  tiers.write("before");
  try {
    group.update([&] {
      tiers.write("inside");
      tiers.stock.save("before", "overwritten");
      tiers.stock.erase("before");
      throw std::out_of_range("mine");
    });
    FAIL() << "the exception did not pass";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "mine");
  }
  EXPECT_EQ(stored_keys(), Texts{});
  group.flush();
  EXPECT_EQ(tiers.stock.load("before"), "before");
  EXPECT_EQ(tiers.stock.load("inside"), std::nullopt);
  EXPECT_EQ(tiers.total.load(), "before");
  EXPECT_EQ(values(tiers.log), Texts{"before"});
}

TEST_P(CommitGroupTest, UpdateWhoseFlushFailsStaysPendingWhole) {
  CommitGroup group(backend());
  Members tiers(group);
  backend()->fail_every(Operation::apply);
  EXPECT_THROW(group.update([&] { tiers.write("a"); }), IoError);
  backend()->heal();
  EXPECT_EQ(stored_keys(), Texts{});
  group.flush();
  EXPECT_EQ(tiers.stock.load("a"), "a");
  EXPECT_EQ(values(tiers.log), Texts{"a"});
}

TEST_P(CommitGroupTest, InsideUpdateFlushRollbackAndUpdateAreRefused) {
  CommitGroup group(backend());
  Members tiers(group);
  group.update([&] {
    tiers.write("a");
    EXPECT_THROW(group.flush(), StateError);
    EXPECT_THROW(tiers.stock.flush(), StateError);
    EXPECT_THROW(group.rollback(), StateError);
    EXPECT_THROW(tiers.log.rollback(), StateError);
    EXPECT_THROW(group.update([] {}), StateError);
    EXPECT_EQ(stored_keys(), Texts{});
  });
  EXPECT_EQ(tiers.stock.load("a"), "a");
}

TEST_P(CommitGroupTest, WhatAnotherThreadDoesDuringAnUpdateIsItsOwn) {
  CommitGroup group(backend());
  TextKv inside(group, {.prefix = "inside/", .debounce = true});
  TextKv through(group, {.prefix = "through/"});
  EXPECT_THROW(group.update([&] {
    inside.save("a", "1");
    std::thread([&] {
      through.save("b", "2");
      group.update([&] { inside.save("c", "3"); });
    }).join();
    EXPECT_EQ(stored_keys(), (Texts{"inside/c", "through/b"}));
    throw std::runtime_error("dropped");
  }),
               std::runtime_error);
  group.flush();
  EXPECT_EQ(stored_keys(), (Texts{"inside/c", "through/b"}));
}

TEST_P(CommitGroupTest, ATierThatIsDestroyedTakesItsPendingWritesWithIt) {
  CommitGroup group(backend());
  TextKv stays(group, {.prefix = "stays/", .debounce = true});
  {
    TextKv goes(group, {.prefix = "goes/", .debounce = true});
    goes.save("a", "1");
    stays.save("a", "1");
  }
  group.flush();
  EXPECT_EQ(stored_keys(), Texts{"stays/a"});
}

TEST_P(CommitGroupTest, TheTierThatMovedIsStillTheMember) {
  CommitGroup group(backend());
  TextKv first(group, {.debounce = true});
  first.save("a", "1");
  TextKv second = std::move(first);
  group.flush();
  EXPECT_EQ(second.load("a"), "1");
}

TEST_P(CommitGroupTest, ATruncationWhereNothingCanBeListedIsRefusedAndDoesNotBlockTheGroup) {
  CommitGroup group(std::make_shared<UnlistableBackend>(backend()));
  TextLog log(group);
  TextKv stock(group);
  log.append("1");
  EXPECT_THROW(log.truncate_before(1), UnsupportedError);
  EXPECT_FALSE(log.has_pending());
  stock.save("a", "1");
  EXPECT_EQ(stock.load("a"), "1");
}

}  // namespace
}  // namespace holdfast::testing
