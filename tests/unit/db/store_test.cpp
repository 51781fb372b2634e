#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::ChildProcess;
using testing::refused_with;

class Store : public testing::DbTest {
 protected:
  [[nodiscard]] std::optional<State> refusal(const DatabaseOptions& options) const {
    return refused_with([&] { static_cast<void>(Database::open(options)); });
  }
  static void write_file(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }
  static std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(Store, IsMadeWithItsParentsAndForItsOwnerOnly) {
  const auto db = Database::open({.path = path("a/b/store"), .map_reserve_bytes = 1U << 30U});
  for (const char* name : {"data.mdb", "lock.mdb", "LOCK"}) {
    struct stat status {};
    ASSERT_EQ(::stat((db->path() / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(db->path()), {}), 3);
}

TEST_F(Store, KeepsItsIdAndItsContentOverReopening) {
  auto db = open();
  const StoreId id = db->id();
  put(*db, "t", "k", "v");
  db.reset();
  db = open();
  EXPECT_EQ(db->id(), id);
  EXPECT_EQ(get(*db, "t", "k"), "v");
  EXPECT_NE(open("other")->id(), id);
}

TEST_F(Store, LeftoversOfACreationAreSweptAndNothingElse) {
  fs::create_directory(path());
  write_file(path() / "data.mdb.new-00", "half");
  write_file(path() / "mine.txt", "mine");
  const auto db = open();
  EXPECT_FALSE(fs::exists(path() / "data.mdb.new-00"));
  EXPECT_EQ(read_file(path() / "mine.txt"), "mine");
}

TEST_F(Store, OpenedThroughALinkAndARelativePathIsOneEnvironment) {
  const auto db = open();
  fs::create_directory_symlink(path(), path("link"));
  const auto linked = open("link");
  const auto relative = Database::open({.path = fs::relative(path()), .map_reserve_bytes = 1U << 30U});
  EXPECT_EQ(linked->environment(), db->environment());
  EXPECT_EQ(relative->environment(), db->environment());
  EXPECT_EQ(linked->path(), db->path());
  fs::rename(path(), path("renamed"));
  EXPECT_EQ(open("renamed")->environment(), db->environment());
}

TEST_F(Store, LivesUntilTheLastTransactionEnds) {
  auto db = open();
  put(*db, "t", "k", "v");
  const ByteTable table = db->table("t");
  const std::weak_ptr<detail::Environment> environment = db->environment();
  {
    const ReadTransaction txn = db->begin_read();
    db.reset();
    EXPECT_EQ(to_text(*table.get(txn, as_bytes("k"))), "v");
    EXPECT_FALSE(environment.expired());
  }
  EXPECT_TRUE(environment.expired());
}

TEST_F(Store, OtherOptionsThanItsEnvironmentHasAreRefusedByName) {
  const auto db = open();
  const auto refused_field = [&](const DatabaseOptions& asked) -> std::string {
    try {
      static_cast<void>(Database::open(asked));
    } catch (const StateError& error) {
      EXPECT_EQ(error.facts().state, State::mismatched);
      return error.facts().problem.substr(0, error.facts().problem.find(':'));
    }
    return "accepted";
  };
  DatabaseOptions asked = options();
  asked.map_reserve_bytes *= 2;
  EXPECT_EQ(refused_field(asked), "map_reserve_bytes");
  asked = options();
  asked.max_readers = 7;
  EXPECT_EQ(refused_field(asked), "max_readers");
  asked = options();
  asked.max_tables = 7;
  EXPECT_EQ(refused_field(asked), "max_tables");
  asked = options();
  asked.durability = Durability::ordered;
  EXPECT_EQ(refused_field(asked), "accepted");
}

TEST_F(Store, RefusedInTheMomentItsLastHandleGoesIsClosedAllTheSame) {
  DatabaseOptions few = options();
  few.max_readers = 7;
  const auto open_or_not = [](const DatabaseOptions& asked) {
    refused_with([&] { static_cast<void>(Database::open(asked)); });
  };
  std::jthread others([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) open_or_not(few);
  });
  for (int i = 0; i < 2000; ++i) open_or_not(options());
}

TEST_F(Store, ReadOnlyHandlesNeitherCreateNorWrite) {
  DatabaseOptions reading = options();
  reading.access = Access::read_only;
  EXPECT_THROW(static_cast<void>(Database::open(reading)), IoError);
  EXPECT_FALSE(fs::exists(path()));
  put(*open(), "t", "k", "v");
  {
    const auto db = Database::open(reading);
    EXPECT_EQ(get(*db, "t", "k"), "v");
    EXPECT_EQ(refused_with([&] { static_cast<void>(db->begin_write()); }), State::read_only);
    EXPECT_EQ(refusal(options()), State::mismatched);  // writing over an environment opened for reading
  }
  const auto writing = open();
  const auto beside = Database::open(reading);
  put(*writing, "t", "k", "w");
  EXPECT_EQ(get(*beside, "t", "k"), "w");
}

TEST_F(Store, OptionsThatCannotBeUsedAreRefusedBeforeAnythingIsTouched) {
  EXPECT_THROW(static_cast<void>(Database::open({})), OptionError);
  DatabaseOptions asked = options();
  asked.map_reserve_bytes = 1;
  EXPECT_THROW(static_cast<void>(Database::open(asked)), OptionError);
  asked = options();
  asked.max_readers = 0;
  EXPECT_THROW(static_cast<void>(Database::open(asked)), OptionError);
  asked = options();
  asked.max_tables = 1025;
  EXPECT_THROW(static_cast<void>(Database::open(asked)), OptionError);
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(Store, AnythingButADirectoryInItsPlaceIsForeign) {
  write_file(path(), "a file");
  EXPECT_EQ(refusal(options()), State::foreign);
  EXPECT_EQ(read_file(path()), "a file");
}

TEST_F(Store, ADataFileBehindASymbolicLinkIsRefused) {
  put(*open("real"), "t", "k", "v");
  fs::create_directory(path());
  fs::create_symlink(path("real") / "data.mdb", path() / "data.mdb");
  EXPECT_THROW(static_cast<void>(open()), IoError);
}

TEST_F(Store, AnLmdbFileOfAnotherProgramIsForeignAndUntouched) {
  fs::create_directory(path());
  MDB_env* env = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_set_maxdbs(env, 4), 0);
  ASSERT_EQ(mdb_env_open(env, path().c_str(), 0, 0600), 0);
  MDB_txn* txn = nullptr;
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  MDB_dbi dbi = 0;
  ASSERT_EQ(mdb_dbi_open(txn, "theirs", MDB_CREATE, &dbi), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
  const std::string before = read_file(path() / "data.mdb");
  EXPECT_EQ(refusal(options()), State::foreign);
  EXPECT_EQ(read_file(path() / "data.mdb"), before);
}

TEST_F(Store, IsReadByLmdbsOwnCalls) {
  put(*open(), "stock", "k", "v");
  MDB_env* env = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_set_maxdbs(env, 4), 0);
  ASSERT_EQ(mdb_env_open(env, path().c_str(), MDB_RDONLY, 0600), 0);
  MDB_txn* txn = nullptr;
  ASSERT_EQ(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn), 0);
  MDB_dbi dbi = 0;
  EXPECT_EQ(mdb_dbi_open(txn, "holdfast", 0, &dbi), 0);
  EXPECT_EQ(mdb_dbi_open(txn, "holdfast.meta", 0, &dbi), 0);
  ASSERT_EQ(mdb_dbi_open(txn, "table.1", 0, &dbi), 0);
  char text[] = "k";
  MDB_val key{1, text};
  MDB_val value{};
  ASSERT_EQ(mdb_get(txn, dbi, &key, &value), 0);
  EXPECT_EQ(std::string(static_cast<const char*>(value.mv_data), value.mv_size), "v");
  mdb_txn_abort(txn);
  mdb_env_close(env);
}

TEST_F(Store, OnlyLmdb09IsKnown) {
  EXPECT_NO_THROW(detail::require_known_lmdb(0, 9, 24));
  EXPECT_NO_THROW(detail::require_known_lmdb(0, 9, 33));
  EXPECT_THROW(detail::require_known_lmdb(1, 0, 0), UnsupportedError);
  EXPECT_THROW(detail::require_known_lmdb(0, 10, 0), UnsupportedError);
}

TEST_F(Store, HeldAloneByAnotherIsInUse) {
  put(*open(), "t", "k", "v");
  const auto ops = system_file_ops();
  const File lock(ops, path() / "LOCK", O_RDWR);
  ASSERT_EQ(ops->try_lock(lock.fd(), LockMode::exclusive), 0);
  EXPECT_EQ(refusal(options()), State::in_use);
}

TEST_F(Store, IsSharedByProcesses) {
  ChildProcess child([&](ChildProcess::Voice voice) {
    const auto db = open();
    put(*db, "of the child", "k", "v");
    voice.tell(1);
    while (get(*db, "of the parent", "k") != "w") std::this_thread::sleep_for(std::chrono::milliseconds(1));
    put(*db, "of the child", "k", "seen");
  });
  ASSERT_TRUE(child.hear());
  const auto db = open();
  EXPECT_EQ(get(*db, "of the child", "k"), "v");
  put(*db, "of the parent", "k", "w");
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(get(*db, "of the child", "k"), "seen");
}

TEST_F(Store, OpenInAnotherProcessIsNotOpenedThroughAHardLink) {
  put(*open(), "t", "k", "v");
  fs::create_directory(path("twin"));
  ChildProcess child([&](ChildProcess::Voice voice) {
    const auto db = open();
    voice.tell(1);
    std::this_thread::sleep_for(std::chrono::hours(1));
  });
  ASSERT_TRUE(child.hear());
  fs::create_hard_link(path() / "data.mdb", path("twin") / "data.mdb");
  EXPECT_EQ(refusal(options("twin")), State::in_use);
  EXPECT_EQ(refusal(options()), State::in_use);
  child.kill();
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
  const auto twin = open("twin");  // alone now
  EXPECT_EQ(get(*twin, "t", "k"), "v");
  EXPECT_EQ(open()->environment(), twin->environment());
}

TEST_F(Store, WithoutAReaderSlotRefusesTheReaderAndGoesOn) {
  DatabaseOptions few = options();
  few.max_readers = 2;
  few.busy_timeout = std::chrono::milliseconds(50);
  const auto db = Database::open(few);
  const ReadTransaction first = db->begin_read();
  {
    const ReadTransaction second = db->begin_read();
    try {
      static_cast<void>(db->begin_read());
      FAIL() << "a third reader";
    } catch (const LimitError& error) {
      EXPECT_EQ(error.facts().limit, "max_readers");
      EXPECT_EQ(error.facts().maximum, 2U);
    }
  }
  EXPECT_TRUE(db->begin_read().is_open());
}

TEST_F(Store, WithoutASlotForAnotherTableRefusesIt) {
  DatabaseOptions few = options();
  few.max_tables = 2;
  const auto db = Database::open(few);
  put(*db, "a", "k", "v");
  put(*db, "b", "k", "v");
  EXPECT_THROW(put(*db, "c", "k", "v"), LimitError);
  EXPECT_EQ(get(*db, "c", "k"), std::nullopt);
  put(*db, "a", "k", "w");
}

TEST_F(Store, PoisonedRefusesEveryHandleUntilTheLastIsClosed) {
  auto db = open();
  auto other = open();
  put(*db, "t", "k", "v");
  EXPECT_THROW(db->environment()->require_committed(EIO), IoError);
  for (const auto& handle : {db, other}) {
    EXPECT_EQ(refused_with([&] { static_cast<void>(handle->begin_read()); }), State::poisoned);
    EXPECT_EQ(refused_with([&] { static_cast<void>(handle->begin_write()); }), State::poisoned);
    EXPECT_EQ(refused_with([&] { handle->flush(); }), State::poisoned);
  }
  db.reset();
  EXPECT_EQ(refused_with([&] { static_cast<void>(open()->begin_read()); }), State::poisoned);
  other.reset();
  EXPECT_EQ(get(*open(), "t", "k"), "v");
}

TEST_F(Store, ARefusedWriteDoesNotPoison) {
  const auto db = open();
  EXPECT_THROW(db->environment()->require_committed(MDB_MAP_FULL), LimitError);
  try {
    db->environment()->require_committed(ENOSPC);
    FAIL() << "a full disk passed";
  } catch (const IoError& error) {
    EXPECT_EQ(error.facts().error_number, ENOSPC);
  }
  put(*db, "t", "k", "v");
}

TEST_F(Store, AWriteTransactionDestroyedOnAnotherThreadPoisonsInsteadOfHanging) {
  auto db = open();
  auto txn = std::make_unique<CommittableTransaction>(db->begin_write());
  std::thread([&] { txn.reset(); }).join();
  EXPECT_EQ(refused_with([&] { static_cast<void>(db->begin_write()); }), State::poisoned);
  db.reset();
  put(*open(), "t", "k", "v");
}

TEST_F(Store, AWriteTransactionAbandonedForGoodKeepsThisProcessOutButNoOther) {
  ChildProcess child([&](ChildProcess::Voice voice) {
    auto db = open();
    auto txn = std::make_unique<CommittableTransaction>(db->begin_write());
    std::thread([&] {
      txn.reset();
      db.reset();
    }).join();
    voice.tell(refused_with([&] { static_cast<void>(open()->begin_read()); }) == State::poisoned ? 1 : 0);
    put(*open("other"), "t", "k", "v");
  });
  EXPECT_EQ(child.hear(), 1U);
  EXPECT_EQ(child.wait(), 0);
  put(*open(), "t", "k", "v");
}

}  // namespace
}  // namespace holdfast
