#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

#include "core/file_io.hpp"
#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "own_file_system.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::ChildProcess;
using testing::refused_with;

class Presence : public testing::DbTest {
 protected:
  static void fill(Database& db, char with) {
    db.update([&](WriteTransaction& txn) {
      for (int i = 0; i < 1000; ++i)
        db.table("t").put(txn, as_bytes(std::to_string(i)), to_bytes(std::string(6000, with)));
    });
  }
  /// Whether nobody holds the byte of the file, asked by another process.
  [[nodiscard]] static bool is_free(const fs::path& file, std::uint64_t byte) {
    ChildProcess child([&](ChildProcess::Voice voice) {
      const auto ops = system_file_ops();
      const File opened(ops, file, O_RDWR);
      voice.tell(ops->try_lock_byte(opened.fd(), byte, LockMode::exclusive) >= 0 ? 1 : 0);
    });
    return child.hear() == 1U;
  }
  [[nodiscard]] DatabaseOptions reading(std::string_view name = "store") const {
    DatabaseOptions asked = options(name);
    asked.access = Access::read_only;
    return asked;
  }
  [[nodiscard]] static std::optional<State> refusal(const DatabaseOptions& asked) {
    return refused_with([&] { static_cast<void>(Database::open(asked)); });
  }
  [[nodiscard]] static int failure_of(const DatabaseOptions& asked) {
    try {
      static_cast<void>(Database::open(asked));
    } catch (const IoError& error) {
      return error.facts().error_number;
    }
    return 0;
  }
  [[nodiscard]] std::set<std::string> names(std::string_view name = "store") const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(path(name))) found.insert(entry.path().filename());
    return found;
  }
};

TEST_F(Presence, OfOneStoreThroughThreePathsIsOneLockThatLastsUntilTheLastIsClosed) {
  auto db = open();
  fs::create_directory_symlink(path(), path("link"));
  auto linked = open("link");
  auto relative = Database::open({.path = fs::relative(path()), .map_reserve_bytes = 1U << 30U});
  for (auto* handle : {&db, &relative, &linked}) {
    EXPECT_FALSE(is_free(path() / "lock.mdb", 0));
    EXPECT_FALSE(is_free(path() / "lock.mdb", static_cast<std::uint64_t>(::getpid())));
    handle->reset();
  }
  EXPECT_TRUE(is_free(path() / "lock.mdb", 0));
  EXPECT_TRUE(is_free(path() / "lock.mdb", static_cast<std::uint64_t>(::getpid())));
}

TEST_F(Presence, SurvivesCodeOfTheProcessThatOpensAndClosesEveryFileOfTheStore) {
  const auto db = open();
  fill(*db, 'a');
  const ReadTransaction snapshot = db->begin_read();
  fs::copy(path(), path("copy"), fs::copy_options::recursive);
  for (const char* name : {"data.mdb", "lock.mdb", "LOCK"}) std::ifstream(path() / name).get();
  EXPECT_FALSE(is_free(path() / "lock.mdb", 0));

  ChildProcess other([&](ChildProcess::Voice) {  // its opening sweeps dead readers
    const auto opened = open();
    for (const char with : {'b', 'c', 'd', 'e'}) fill(*opened, with);
  });
  EXPECT_EQ(other.wait(), 0);
  const ByteTable table = db->table("t");
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(to_text(table.get(snapshot, as_bytes(std::to_string(i))).value()) == std::string(6000, 'a')) << i;
  EXPECT_EQ(get(*db, "t", "0"), std::string(6000, 'e'));
}

TEST_F(Presence, FollowsTheStoreWhenItsDirectoryIsRenamed) {
  const auto db = open();
  put(*db, "t", "k", "v");
  fs::rename(path(), path("renamed"));
  put(*db, "t", "k", "after");
  EXPECT_EQ(open("renamed")->environment(), db->environment());
  ChildProcess other([&](ChildProcess::Voice voice) {
    const auto opened = open("renamed");
    voice.tell(get(*opened, "t", "k") == "after" ? 1 : 0);
    put(*opened, "t", "k", "of another process");
  });
  EXPECT_EQ(other.hear(), 1U);
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(get(*db, "t", "k"), "of another process");
  EXPECT_NE(open()->id(), db->id()) << "the old path is a new store's";
}

TEST_F(Presence, OfADataFileThatWasReplacedIsInUseForOtherProcessesToo) {
  put(*open("other"), "t", "k", "theirs");
  ChildProcess holder([&](ChildProcess::Voice voice) {
    const auto db = open();
    put(*db, "t", "k", "ours");
    voice.tell(1);
    for (;;) ::pause();
  });
  ASSERT_TRUE(holder.hear());
  fs::rename(path("other") / "data.mdb", path() / "data.mdb");
  EXPECT_EQ(refusal(options()), State::in_use);
  EXPECT_EQ(refusal(reading()), State::in_use);
  holder.kill();
  EXPECT_EQ(holder.wait(), 128 + SIGKILL);
  EXPECT_EQ(get(*open(), "t", "k"), "theirs");
}

TEST_F(Presence, OfProcessesThatRaceToCreateAStoreIsOneStoreAndNoWriteIsLost) {
  const testing::TemporaryDirectory fast(testing::fast_directory());
  for (int round = 0; round < 500; ++round) {
    const auto place = fast.path() / std::to_string(round);
    const auto opened = [&] { return Database::open({.path = place, .map_reserve_bytes = 1U << 30U}); };
    const auto create = [&](const char* key) {
      return [&, key](ChildProcess::Voice) { put(*opened(), "t", key, "v"); };
    };
    ChildProcess a(create("a"));
    ChildProcess b(create("b"));
    ASSERT_EQ(a.wait(), 0) << "round " << round;
    ASSERT_EQ(b.wait(), 0) << "round " << round;
    const auto db = opened();
    ASSERT_EQ(get(*db, "t", "a"), "v") << "round " << round;
    ASSERT_EQ(get(*db, "t", "b"), "v") << "round " << round;
  }
}

TEST_F(Presence, OfReadersWithoutALockTableCreatesNothingAndKeepsWritersOut) {
  put(*open(), "t", "k", "v");
  for (const char* gone : {"lock.mdb", "LOCK"}) {
    fs::remove(path() / gone);
    const auto before = names();
    auto db = Database::open(reading());
    EXPECT_EQ(get(*db, "t", "k"), "v");
    EXPECT_EQ(names(), before);
    ChildProcess other([&](ChildProcess::Voice voice) {
      voice.tell(get(*Database::open(reading()), "t", "k") == "v" ? 1 : 0);
      voice.tell(refusal(options()) == State::in_use ? 1 : 0);
    });
    EXPECT_EQ(other.hear(), 1U) << "a second reader was kept out";
    EXPECT_EQ(other.hear(), 1U) << "a writer was let in";
    EXPECT_EQ(other.wait(), 0);
    db.reset();
  }
  put(*open(), "t", "k", "w");
  EXPECT_EQ(get(*Database::open(reading()), "t", "k"), "w");
}

TEST_F(Presence, OfAWriterKeepsOutReadersWithoutALockTable) {
  ChildProcess writer([&](ChildProcess::Voice voice) {
    const auto db = open();
    put(*db, "t", "k", "v");
    voice.tell(1);
    for (;;) ::pause();
  });
  ASSERT_TRUE(writer.hear());
  fs::remove(path() / "lock.mdb");
  EXPECT_EQ(refusal(reading()), State::in_use);
  EXPECT_FALSE(fs::exists(path() / "lock.mdb"));
}

/// Whom permissions stop: not root, so that gives up its rights over `place` and everything above.
bool become_somebody(const fs::path& place) {
  constexpr uid_t nobody = 65534;
  if (::geteuid() != 0) return true;
  return ::chown(place.c_str(), nobody, nobody) == 0 && ::seteuid(nobody) == 0;
}

TEST_F(Presence, OnAReadOnlyFileSystemIsReadingAndNothingElse) {
  fs::create_directory(path("place"));
  fs::permissions(path().parent_path(), fs::perms(0755));
  ChildProcess child([&](ChildProcess::Voice voice) {
    const fs::path place = path("place");
    // Without a file system of its own, what this process may not write to stands for it.
    const bool mounted = testing::mount_own_file_system(place, "size=8m");
    if (!mounted && !become_somebody(place)) return;
    voice.tell(mounted ? EROFS : EACCES);
    put(*open("place/store"), "t", "k", "v");
    if (mounted) {
      if (!testing::make_read_only(place)) return;
    } else {
      for (const char* name : {"data.mdb", "lock.mdb", "LOCK"})
        fs::permissions(place / "store" / name, fs::perms(0400));
      fs::permissions(place / "store", fs::perms(0500));
      fs::permissions(place, fs::perms(0500));
    }
    voice.tell(static_cast<std::uint64_t>(failure_of(options("place/store"))));
    voice.tell(static_cast<std::uint64_t>(failure_of(options("place/new"))));
    voice.tell(get(*Database::open(reading("place/store")), "t", "k") == "v" ? 1 : 0);
    if (!mounted) {
      fs::permissions(place, fs::perms(0700));
      fs::permissions(place / "store", fs::perms(0700));
    }
  });
  const auto expected = child.hear();
  ASSERT_TRUE(expected) << "neither a file system nor another user to be had";
  EXPECT_EQ(child.hear(), expected) << "opened for writing";
  EXPECT_EQ(child.hear(), expected) << "created";
  EXPECT_EQ(child.hear(), 1U) << "not read";
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Presence, WithoutPermissionOrADirectoryIsTheSystemsErrorByItsNumber) {
  put(*open(), "t", "k", "v");
  EXPECT_EQ(failure_of(reading("missing")), ENOENT);
  fs::create_directory(path("empty"));
  EXPECT_EQ(failure_of(reading("empty")), ENOENT);
  EXPECT_TRUE(names("empty").empty());
  std::ofstream(path("file")) << "a file";
  EXPECT_EQ(failure_of(options("file/store")), ENOTDIR);
  ChildProcess child([&](ChildProcess::Voice voice) {
    if (!become_somebody(path().parent_path())) return;
    fs::permissions(path().parent_path(), fs::perms(0500));
    voice.tell(static_cast<std::uint64_t>(failure_of(options("new"))));
    fs::permissions(path().parent_path(), fs::perms(0));
    voice.tell(static_cast<std::uint64_t>(failure_of(options())));
    voice.tell(static_cast<std::uint64_t>(failure_of(reading())));
    fs::permissions(path().parent_path(), fs::perms(0700));
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(child.hear(), static_cast<std::uint64_t>(EACCES)) << "case " << i;
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace holdfast
