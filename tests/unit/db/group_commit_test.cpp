#include "db/group_commit.hpp"

#include <lmdb.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db/lmdb_txn.hpp"
#include "db_fixture.hpp"
#include "holdfast/backend/lmdb.hpp"

namespace holdfast {
namespace {

using detail::GroupMember;
using detail::WriteBase;
using testing::refused_with;
using namespace std::chrono_literals;

class GroupCommit : public testing::DbTest {
 protected:
  [[nodiscard]] static DatabaseOptions with_wait(DatabaseOptions options, std::chrono::microseconds wait) {
    options.group_wait = wait;
    return options;
  }

  void reopen(const DatabaseOptions& options) {
    db_ = Database::open(options);
    backend_ = std::make_unique<LmdbBackend>(db_);
  }

  [[nodiscard]] detail::GroupCommit& group() const { return db_->environment()->group_commit(); }
  void commit(std::span<GroupMember> members) { group().commit(db_->environment(), members, db_->options()); }

  void put(WriteBase& txn, std::string_view key) const {
    txn.put(db_->environment()->backend_table(), as_bytes(key), as_bytes("v"));
  }

  /// Runs each of `writes` on a thread of its own, in one group, in that order.
  void in_one_group(const std::vector<std::function<void()>>& writes) {
    auto turn = std::make_optional(db_->begin_write());
    std::vector<std::thread> threads;
    for (const auto& write : writes) {
      const std::size_t before = group().waiting();
      threads.emplace_back(write);
      while (group().waiting() == before) std::this_thread::yield();
    }
    turn.reset();
    for (auto& thread : threads) thread.join();
  }

  [[nodiscard]] std::string value(std::string_view key) const {
    const auto found = backend_->read(key);
    return found ? to_text(*found) : "absent";
  }

  std::shared_ptr<Database> db_ = Database::open(with_wait(options(), 0us));
  std::unique_ptr<LmdbBackend> backend_ = std::make_unique<LmdbBackend>(db_);
};

template <class Call>
bool conflicts(Call call) {
  try {
    call();
  } catch (const ConflictError&) {
    return true;
  }
  return false;
}

TEST_F(GroupCommit, EachMemberHasItsOwnResultAfterThoseBeforeIt) {
  backend_->write("old", as_bytes("1"));
  const auto before = group().counts();
  bool conflict = false;
  bool no_conflict = true;
  bool erased = false;
  bool erased_again = true;
  in_one_group({
      [&] { backend_->write("new", as_bytes("2")); },
      [&] {
        conflict = conflicts([&] { backend_->apply(WriteBatch().require_absent("new").put("lost", as_bytes("x"))); });
      },
      [&] { erased = backend_->erase("old"); },
      [&] { erased_again = backend_->erase("old"); },
      [&] {
        no_conflict =
            conflicts([&] { backend_->apply(WriteBatch().require_value("new", as_bytes("2")).put("new", Bytes())); });
      },
  });
  EXPECT_TRUE(conflict);
  EXPECT_FALSE(no_conflict);
  EXPECT_TRUE(erased);
  EXPECT_FALSE(erased_again);
  EXPECT_EQ(value("new"), "");
  EXPECT_EQ(value("lost"), "absent");
  EXPECT_EQ(value("old"), "absent");
  const auto after = group().counts();
  EXPECT_EQ(after.groups - before.groups, 1U);
  EXPECT_EQ(after.members - before.members, 5U);
  EXPECT_EQ(after.largest, 5U);
}

TEST_F(GroupCommit, OneCallerMayBringManyMembers) {
  std::vector<std::string> keys = {"a", "b", "c"};
  const auto put_a = [&](WriteBase& txn) { put(txn, "a"); };
  const auto refuse = [](WriteBase&) { throw ConflictError({.key = "b", .problem = "always"}); };
  const auto put_c = [&](WriteBase& txn) { put(txn, "c"); };
  std::vector<GroupMember> members = {{.apply = put_a}, {.apply = refuse}, {.apply = put_c}};
  commit(members);
  EXPECT_FALSE(members[0].failure);
  EXPECT_THROW(std::rethrow_exception(members[1].failure), ConflictError);
  EXPECT_FALSE(members[2].failure);
  EXPECT_EQ(value("a") + value("b") + value("c"), "vabsentv");
  EXPECT_EQ(group().counts().groups, 1U);
}

TEST_F(GroupCommit, AMemberThatNoTransactionHoldsFailsAloneAndLeavesNothing) {
  int tries = 0;
  const auto put_a = [&](WriteBase& txn) { put(txn, "a"); };
  const auto too_large = [&](WriteBase& txn) {
    ++tries;
    put(txn, "half");
    throw LimitError({.limit = "pages of one transaction", .maximum = 1, .actual = 2, .unit = "pages"});
  };
  const auto put_c = [&](WriteBase& txn) { put(txn, "c"); };
  std::vector<GroupMember> members = {{.apply = put_a}, {.apply = too_large}, {.apply = put_c}};
  commit(members);
  EXPECT_FALSE(members[0].failure);
  EXPECT_THROW(std::rethrow_exception(members[1].failure), LimitError);
  EXPECT_FALSE(members[2].failure);
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(value("a") + value("half") + value("c"), "vabsentv");
  backend_->write("later", {});
}

TEST_F(GroupCommit, AFailedCommitReachesEveryMemberAsAnExceptionOfItsOwn) {
  const auto put_a = [&](WriteBase& txn) { put(txn, "a"); };
  const auto break_store = [&](WriteBase&) {
    db_->environment()->poison("a test broke it");
    throw IoError({.operation = "commit", .path = "data.mdb", .error_number = EIO});
  };
  std::vector<GroupMember> members = {{.apply = put_a}, {.apply = break_store}, {.apply = put_a}};
  commit(members);
  std::set<const IoError*> failures;
  for (const GroupMember& member : members) {
    try {
      std::rethrow_exception(member.failure);
    } catch (const IoError& error) {
      EXPECT_EQ(error.facts().error_number, EIO);
      failures.insert(&error);
    }
  }
  EXPECT_EQ(failures.size(), members.size());
  EXPECT_EQ(refused_with([&] { backend_->write("later", {}); }), State::poisoned);
}

TEST_F(GroupCommit, AGroupIsAsDurableAsTheStrictestOfItsMembersAsks) {
  DatabaseOptions lax = with_wait(options(), 0us);
  lax.durability = Durability::ordered;
  LmdbBackend ordered(Database::open(lax));
  const auto leaves_meta_unsynced = [&] {
    unsigned flags = 0;
    mdb_env_get_flags(db_->environment()->raw(), &flags);
    return (flags & MDB_NOMETASYNC) != 0;
  };
  const auto write_synced = [&] { backend_->write("synced", {}); };
  const auto write_ordered = [&] { ordered.write("ordered", {}); };
  in_one_group({write_ordered, write_ordered});
  EXPECT_TRUE(leaves_meta_unsynced());
  in_one_group({write_ordered, write_synced, write_ordered});
  EXPECT_FALSE(leaves_meta_unsynced());
}

TEST_F(GroupCommit, AWriteInsideAnUpdateOfItsStoreWouldDeadlockAndSaysSoAtOnce) {
  const auto refused_all = [&] {
    EXPECT_EQ(refused_with([&] { backend_->write("k", {}); }), State::would_deadlock);
    EXPECT_EQ(refused_with([&] { static_cast<void>(backend_->erase("k")); }), State::would_deadlock);
    EXPECT_EQ(refused_with([&] { backend_->apply(WriteBatch().put("k", Bytes())); }), State::would_deadlock);
  };
  std::thread other;
  db_->update([&](WriteTransaction&) {
    refused_all();
    other = std::thread([&] { backend_->write("of another thread", {}); });
    while (group().waiting() != 1) std::this_thread::yield();
    refused_all();  // also when another thread leads
  });
  other.join();
  EXPECT_EQ(value("k"), "absent");
  EXPECT_EQ(value("of another thread"), "");
}

TEST_F(GroupCommit, WhoIsNotServedInTimeGivesUpAndHisWriteIsNotMade) {
  DatabaseOptions impatient = with_wait(options(), 0us);
  impatient.busy_timeout = 20ms;
  LmdbBackend hasty(Database::open(impatient));
  auto turn = std::make_optional(db_->begin_write());
  std::thread patient([&] { backend_->write("patient", {}); });
  while (group().waiting() != 1) std::this_thread::yield();
  std::thread([&] { EXPECT_EQ(refused_with([&] { hasty.write("follower", {}); }), State::in_use); }).join();
  turn.reset();
  patient.join();
  EXPECT_EQ(value("patient"), "");
  EXPECT_EQ(value("follower"), "absent");
}

TEST_F(GroupCommit, ALeaderWhoGivesUpHandsTheLeadOn) {
  DatabaseOptions impatient = with_wait(options(), 0us);
  impatient.busy_timeout = 50ms;
  LmdbBackend hasty(Database::open(impatient));
  auto turn = std::make_optional(db_->begin_write());
  std::atomic<bool> gave_up = false;
  std::thread leader([&] {
    EXPECT_EQ(refused_with([&] { hasty.write("leader", {}); }), State::in_use);
    gave_up = true;
  });
  while (group().waiting() != 1 && !gave_up) std::this_thread::yield();
  std::thread follower([&] { backend_->write("follower", {}); });
  leader.join();
  turn.reset();
  follower.join();
  EXPECT_EQ(value("leader"), "absent");
  EXPECT_EQ(value("follower"), "");
}

TEST_F(GroupCommit, AGroupThatOutgrowsTheMapIsAppliedOnceAllTheSame) {
  DatabaseOptions small = with_wait(options("small"), 0us);
  small.map_reserve_bytes = 1U << 20U;
  reopen(small);
  backend_->write("old", as_bytes("1"));
  const Bytes large(700'000, std::byte{7});
  const auto apply = [&](const std::string& key) {
    return [&, key] { backend_->apply(WriteBatch().require_absent(key).put(key, large).erase("old")); };
  };
  bool conflict = false;
  in_one_group({apply("a"), apply("b"), [&] { conflict = conflicts(apply("a")); }, apply("c")});
  EXPECT_TRUE(conflict);
  for (const char* key : {"a", "b", "c"}) EXPECT_EQ(backend_->read(key), large);
  EXPECT_EQ(value("old"), "absent");
  EXPECT_EQ(group().counts().largest, 4U);
}

TEST_F(GroupCommit, EachCallerWaitsForTheMapAsLongAsItsOwnHandleSaysWhoeverLeads) {
  for (const bool hasty_leads : {true, false}) {
    DatabaseOptions small = with_wait(options(hasty_leads ? "hasty leads" : "patient leads"), 0us);
    small.map_reserve_bytes = 1U << 20U;
    small.busy_timeout = 30s;
    reopen(small);
    small.busy_timeout = 100ms;
    LmdbBackend hasty(Database::open(small));
    auto held = std::make_optional(db_->begin_read());
    std::atomic<bool> hasty_is_through = false;
    const auto hasty_write = [&] {
      try {
        hasty.write("hasty", Bytes(2U << 20U));
        ADD_FAILURE() << "it grew under a reader";
      } catch (const LimitError& error) {
        EXPECT_EQ(error.facts().limit, "map_reserve_bytes");
      }
      hasty_is_through = true;
    };
    const auto small_write = [&] { hasty.write("small", as_bytes("v")); };
    const auto patient_write = [&] { backend_->write("patient", Bytes(2U << 20U)); };
    std::thread ending([&] {
      const auto began = std::chrono::steady_clock::now();
      while (!hasty_is_through && std::chrono::steady_clock::now() < began + 20s) std::this_thread::sleep_for(1ms);
      EXPECT_TRUE(hasty_is_through) << "it waited for the patient one";
      std::this_thread::sleep_for(50ms);  // longer than nothing, for the patient one
      held.reset();
    });
    // Turn and queue are kept within the hasty ones' time only for a moment.
    if (hasty_leads) {
      in_one_group({hasty_write, small_write, patient_write});
    } else {
      in_one_group({patient_write, small_write, hasty_write});
    }
    ending.join();
    EXPECT_EQ(value("small"), "v");
    EXPECT_EQ(value("hasty"), "absent");
    EXPECT_EQ(backend_->read("patient"), Bytes(2U << 20U));
    EXPECT_EQ(db_->stats().growths, 1U);
  }
}

TEST_F(GroupCommit, AMemberThatNeedsMoreMapIsNotRefusedForTheFailureOfAnother) {
  DatabaseOptions small = with_wait(options("small"), 0us);
  small.map_reserve_bytes = 1U << 20U;
  reopen(small);
  auto held = std::make_optional(db_->begin_read());
  const auto too_large = [](WriteBase&) {
    throw LimitError({.limit = "pages of one transaction", .maximum = 1, .actual = 2, .unit = "pages"});
  };
  GroupMember fails{.apply = too_large};
  std::thread ending;
  in_one_group({
      [&] {
        commit({&fails, 1});
      },
      [&] { backend_->write("large", Bytes(2U << 20U)); },
      [&] {
        ending = std::thread([&] {
          std::this_thread::sleep_for(200ms);
          held.reset();
        });
        backend_->write("small", as_bytes("v"));
      },
  });
  ending.join();
  EXPECT_THROW(std::rethrow_exception(fails.failure), LimitError);
  EXPECT_EQ(backend_->read("large"), Bytes(2U << 20U));
  EXPECT_EQ(value("small"), "v");
}

TEST_F(GroupCommit, OfManyMembersOfOneCallerThoseThatFitAreCommittedWhenTheMapDoesNotGrowInTime) {
  DatabaseOptions small = with_wait(options("small"), 0us);
  small.map_reserve_bytes = 1U << 20U;
  small.busy_timeout = 150ms;
  reopen(small);
  const ReadTransaction held = db_->begin_read();
  const auto put_a = [&](WriteBase& txn) { put(txn, "a"); };
  const auto put_large = [&](WriteBase& txn) {
    txn.put(db_->environment()->backend_table(), as_bytes("large"), Bytes(2U << 20U));
  };
  const auto put_c = [&](WriteBase& txn) { put(txn, "c"); };
  std::vector<GroupMember> members = {{.apply = put_a}, {.apply = put_large}, {.apply = put_c}};
  const auto began = std::chrono::steady_clock::now();
  commit(members);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_FALSE(members[0].failure);
  EXPECT_THROW(std::rethrow_exception(members[1].failure), LimitError);
  EXPECT_FALSE(members[2].failure);
  EXPECT_EQ(value("a") + value("large") + value("c"), "vabsentv");
}

TEST_F(GroupCommit, TheWaitIsSharedByTheHandlesOfAStoreAndNeverNegative) {
  EXPECT_EQ(refused_with([&] { static_cast<void>(Database::open(with_wait(options(), 7us))); }), State::mismatched);
  EXPECT_THROW(static_cast<void>(Database::open(with_wait(options("other"), -1us))), OptionError);
}

TEST_F(GroupCommit, OneWhoWritesAloneDoesNotWaitForOthers) {
  reopen(with_wait(options("alone"), 1s));
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) backend_->write("k", {});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST_F(GroupCommit, TheLeaderWaitsForThoseWhoWroteWithHimAndNotAgainWhenTheyStayAway) {
  reopen(with_wait(options("waiting"), 500ms));
  const auto write = [&] { backend_->write("k", {}); };
  in_one_group({write, write});
  auto began = std::chrono::steady_clock::now();
  write();
  EXPECT_GE(std::chrono::steady_clock::now() - began, 500ms);
  began = std::chrono::steady_clock::now();
  write();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 500ms);
}

TEST_F(GroupCommit, ManyThreadsLoseNothingAndShareCommits) {
  constexpr int threads = 8;
  constexpr int rounds = 40;
  reopen(options("many"));
  std::atomic<int> won = 0;
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      const std::string own = std::to_string(t) + "/";
      for (int i = 0; i < rounds; ++i) {
        backend_->write(own + std::to_string(i), as_bytes("v"));
        const std::string contested = "round/" + std::to_string(i);
        if (!conflicts([&] { backend_->apply(WriteBatch().require_absent(contested).put(contested, Bytes())); })) ++won;
        EXPECT_EQ(backend_->erase(own + std::to_string(i - 1)), i > 0);
        if (i % 10 == 0)
          db_->update([&](WriteTransaction& txn) { db_->table("t").put(txn, as_bytes(own + std::to_string(i)), {}); });
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(won, rounds);
  for (int t = 0; t < threads; ++t) {
    std::vector<std::string> left;
    for (const Entry& entry : backend_->scan({.prefix = std::to_string(t) + "/"})) left.push_back(entry.key);
    EXPECT_EQ(left, std::vector<std::string>{std::to_string(t) + "/" + std::to_string(rounds - 1)});
  }
  EXPECT_EQ(db_->view([&](const ReadTransaction& txn) { return db_->table("t").count(txn); }), threads * rounds / 10U);
  const auto counts = group().counts();
  EXPECT_EQ(counts.members, std::uint64_t{threads * rounds * 3});
  EXPECT_LT(counts.groups, counts.members);
}

}  // namespace
}  // namespace holdfast
