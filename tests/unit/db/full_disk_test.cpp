#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <utility>
#include <vector>

#include "db/environment.hpp"
#include "db/group_commit.hpp"
#include "db/lmdb_txn.hpp"
#include "db_fixture.hpp"
#include "faulty_system.hpp"
#include "holdfast/backend/lmdb.hpp"
#include "own_file_system.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::ChildProcess;
using testing::FaultySystem;
using testing::refused_with;
using testing::SystemCall;

/// The errno that `call` failed with; 0 when it passed.
template <class Call>
int failure_of(Call call) {
  try {
    call();
  } catch (const IoError& error) {
    return error.facts().error_number;
  }
  return 0;
}

class FullDisk : public testing::DbTest {
 protected:
  /// A commit of several runs of pages.
  static void write_much(Database& db, char with) {
    db.update([&](WriteTransaction& txn) {
      for (int i = 0; i < 20; ++i)
        db.table("t").put(txn, as_bytes("much " + std::to_string(i)),
                          to_bytes(std::string(static_cast<std::size_t>(i) * 3000, with)));
    });
  }

  /// What must hold of a store whose last write was refused: the acknowledged is there, the refused is not, and it
  /// reads, erases and writes.
  static void expect_whole(Database& db, const std::string& acknowledged) {
    EXPECT_EQ(get(db, "t", "k"), acknowledged);
    EXPECT_EQ(get(db, "t", "much 19"), std::nullopt);
    db.update([&](WriteTransaction& txn) { EXPECT_TRUE(db.table("t").erase(txn, as_bytes("k"))); });
    EXPECT_EQ(get(db, "t", "k"), std::nullopt);
    put(db, "t", "k", acknowledged);
  }
};

TEST_F(FullDisk, AtEveryWriteOfACommitRefusesItAndNothingElse) {
  for (const int error_number : {ENOSPC, EDQUOT, EFBIG}) {
    std::size_t went_on = 0;
    std::size_t reopened = 0;
    for (std::size_t number = 1;; ++number) {
      const std::string name = std::to_string(error_number) + " at " + std::to_string(number);
      auto db = open(name);
      put(*db, "t", "k", "acknowledged");
      FaultySystem::fail(SystemCall::write, number, error_number);
      const int failure = failure_of([&] { write_much(*db, 'x'); });
      if (!FaultySystem::disarm()) break;
      ASSERT_EQ(failure, error_number) << name;
      ASSERT_EQ(reopened, 0U) << "a page after the meta page";
      // The last write is that of the meta page: LMDB does not go on after its failure.
      if (refused_with([&] { static_cast<void>(db->begin_read()); }) == State::poisoned) {
        EXPECT_EQ(refused_with([&] { put(*db, "t", "k", "poisoned"); }), State::poisoned);
        ++reopened;
        db.reset();
        db = open(name);
      } else {
        ++went_on;
      }
      expect_whole(*db, "acknowledged");
      write_much(*db, 'y');
      EXPECT_EQ(get(*db, "t", "much 19"), std::string(57'000, 'y'));
    }
    EXPECT_GT(went_on, 0U);
    EXPECT_EQ(reopened, 1U);
  }
}

TEST_F(FullDisk, AFailureThatIsNoLackOfRoomPoisonsUntilTheStoreIsOpenedAnew) {
  auto db = open();
  put(*db, "t", "k", "acknowledged");
  const auto expect_poisoned = [&] {
    ASSERT_TRUE(FaultySystem::disarm());
    EXPECT_EQ(refused_with([&] { static_cast<void>(db->begin_read()); }), State::poisoned);
    EXPECT_EQ(refused_with([&] { static_cast<void>(db->begin_write()); }), State::poisoned);
    db.reset();
    db = open();
    expect_whole(*db, "acknowledged");
  };
  FaultySystem::fail(SystemCall::sync, 1, EIO);
  EXPECT_EQ(failure_of([&] { write_much(*db, 'x'); }), EIO);
  expect_poisoned();
  FaultySystem::fail(SystemCall::sync, 1, EIO);
  EXPECT_EQ(failure_of([&] { db->flush(); }), EIO);
  expect_poisoned();
  FaultySystem::fail(SystemCall::write, 1, EIO);
  EXPECT_EQ(failure_of([&] { write_much(*db, 'x'); }), EIO);
  expect_poisoned();
  FaultySystem::shorten_write(1);
  EXPECT_EQ(failure_of([&] { write_much(*db, 'x'); }), EIO);
  expect_poisoned();
}

/// What both kinds of full disk must do; what went wrong, told by number, 0 for nothing.
template <class MakeRoom>
std::uint64_t fill_and_recover(const DatabaseOptions& options, int expected, MakeRoom make_room) {
  const auto db = Database::open(options);
  const ByteTable table = db->table("t");
  const auto put = [&](int number) {
    db->update(
        [&](WriteTransaction& txn) { table.put(txn, as_bytes(std::to_string(number)), Bytes(30'000, std::byte{7})); });
  };
  int acknowledged = 0;
  int failure = 0;
  while (failure == 0 && acknowledged < 10'000) {
    failure = failure_of([&] { put(acknowledged); });
    if (failure == 0) ++acknowledged;
  }
  if (failure != expected) return 1000U + static_cast<unsigned>(failure);
  if (acknowledged < 20) return 2;
  for (int again = 0; again < 5; ++again)
    if (failure_of([&] { put(acknowledged); }) != expected) return 3;
  const auto whole = [&](int first) {
    const ReadTransaction txn = db->begin_read();
    if (table.count(txn) != static_cast<std::uint64_t>(acknowledged - first)) return false;
    for (int i = first; i < acknowledged; ++i)
      if (table.get(txn, as_bytes(std::to_string(i))) != Bytes(30'000, std::byte{7})) return false;
    return true;
  };
  if (!whole(0)) return 4;
  for (int i = 0; i < 5; ++i)
    db->update([&](WriteTransaction& txn) { static_cast<void>(table.erase(txn, as_bytes(std::to_string(i)))); });
  if (!whole(5)) return 5;
  put(acknowledged++);  // in the room of what was erased
  make_room();
  for (int i = 0; i < 20; ++i) put(acknowledged++);
  if (!whole(5)) return 6;
  return 0;
}

TEST_F(FullDisk, BeyondTheProcesssFileSizeRefusesTheWriteKeepsEverythingAndGoesOnWithRoom) {
  ChildProcess child([&](ChildProcess::Voice voice) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t unlimited = std::exchange(limit.rlim_cur, 2'000'000);  // in the middle of a page
    ::setrlimit(RLIMIT_FSIZE, &limit);
    voice.tell(fill_and_recover(options(), EFBIG, [&] {
      limit.rlim_cur = unlimited;
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }));
  });
  EXPECT_EQ(child.hear(), 0U);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(FullDisk, ThatHasNoRoomForMorePagesRefusesTheWriteKeepsEverythingAndGoesOnWithRoom) {
  FaultySystem::limit_files(2'000'000);
  EXPECT_EQ(fill_and_recover(options(), ENOSPC, [] { FaultySystem::disarm(); }), 0U);
  FaultySystem::disarm();
}

TEST_F(FullDisk, OfASmallFileSystemDoesSoToo) {
  fs::create_directory(path("small"));
  ChildProcess child([&](ChildProcess::Voice voice) {
    const auto ballast = path("small") / "ballast";
    // Where the system lets nobody mount one, pages that it does not grant stand for it.
    const bool mounted = testing::mount_own_file_system(path("small"), "size=3m");
    if (!mounted) FaultySystem::limit_files(2'000'000);
    std::ofstream(ballast) << std::string(1'000'000, 'b');
    voice.tell(fill_and_recover(options("small/store"), ENOSPC, [&] {
      fs::remove(ballast);
      FaultySystem::disarm();
    }));
  });
  EXPECT_EQ(child.hear(), 0U);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(FullDisk, RefusesOfAGroupThoseWhoseWritesItHasNoRoomForAndCommitsTheOthers) {
  const auto db = open();
  const auto& environment = db->environment();
  const auto put = [&](std::string_view key, std::size_t size) {
    return
        [&, key, size](detail::WriteBase& txn) { txn.put(environment->backend_table(), as_bytes(key), Bytes(size)); };
  };
  const auto put_a = put("a", 1'000);
  const auto put_large = put("large", 3'000'000);
  const auto refuse = [](detail::WriteBase&) { throw ConflictError({.key = "k", .problem = "always"}); };
  const auto put_c = put("c", 1'000);
  std::vector<detail::GroupMember> members = {
      {.apply = put_a}, {.apply = put_large}, {.apply = refuse}, {.apply = put_c}};
  FaultySystem::limit_files(2'000'000);
  environment->group_commit().commit(environment, members, db->options());
  FaultySystem::disarm();
  EXPECT_FALSE(members[0].failure);
  EXPECT_EQ(failure_of([&] { std::rethrow_exception(members[1].failure); }), ENOSPC);
  EXPECT_THROW(std::rethrow_exception(members[2].failure), ConflictError);
  EXPECT_FALSE(members[3].failure);
  LmdbBackend backend(db);
  EXPECT_EQ(backend.read("a"), Bytes(1'000));
  EXPECT_EQ(backend.read("large"), std::nullopt);
  EXPECT_EQ(backend.read("c"), Bytes(1'000));
  backend.write("large", Bytes(3'000'000));
}

}  // namespace
}  // namespace holdfast
