#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "backend/file_backend_access.hpp"
#include "backend/file_name.hpp"
#include "holdfast/backend/file.hpp"
#include "holdfast/core/error.hpp"
#include "support/sim_file_ops.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::SimFileOps;
using testing::TemporaryDirectory;

const fs::path sim_root = "/store";

std::unique_ptr<FileBackend> open_on(const std::shared_ptr<SimFileOps>& disk, FileOptions options = {}) {
  options.root = sim_root;
  return FileBackendAccess::open(options, {.ops = disk, .clock = system_clock()});
}

State state_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const StateError& error) {
    return error.facts().state;
  }
  ADD_FAILURE() << "no StateError";
  return State::closed;
}

std::vector<std::string> listed(const BackendReader& files) {
  std::vector<std::string> keys;
  for (const Entry& entry : files.keys()) keys.push_back(entry.key);
  return keys;
}

TEST(FileBackend, AnAbsentDirectoryReadsAsEmptyAndIsMadeByTheFirstWrite) {
  const TemporaryDirectory directory;
  const fs::path root = directory.path() / "a" / "b";
  FileBackend files({.root = root});
  EXPECT_EQ(files.read("k"), std::nullopt);
  EXPECT_EQ(listed(files), std::vector<std::string>{});
  EXPECT_FALSE(files.erase("k"));
  files.flush();
  EXPECT_FALSE(fs::exists(directory.path() / "a"));
  files.write("k", as_bytes("v"));
  EXPECT_EQ(files.read("k"), to_bytes("v"));
  EXPECT_EQ(fs::status(root).permissions(), fs::perms::owner_all);
}

TEST(FileBackend, AFileInPlaceOfTheDirectoryIsAnErrorAndUntouched) {
  const TemporaryDirectory directory;
  const fs::path root = directory.path() / "file";
  std::ofstream(root) << "content";
  for (const Access access : {Access::read_write, Access::read_only}) {
    try {
      FileBackend files({.root = root, .access = access});
      FAIL() << "opened";
    } catch (const IoError& error) {
      EXPECT_EQ(error.facts().error_number, ENOTDIR);
    }
  }
  EXPECT_EQ(fs::file_size(root), 7U);
}

TEST(FileBackend, ARootThatIsALinkOrRelativeIsTheDirectoryItMeans) {
  const TemporaryDirectory directory;
  fs::create_directory(directory.path() / "real");
  fs::create_directory_symlink(directory.path() / "real", directory.path() / "link");
  {
    FileBackend files({.root = directory.path() / "link"});
    files.write("k", as_bytes("v"));
    EXPECT_EQ(listed(files), std::vector<std::string>{"k"});
  }
  EXPECT_TRUE(fs::exists(directory.path() / "real" / "k.bin"));
  const FileBackend files({.root = fs::relative(directory.path() / "real"), .access = Access::read_only});
  EXPECT_EQ(files.read("k"), to_bytes("v"));
  EXPECT_TRUE(files.name().starts_with("file:/"));
}

TEST(FileBackend, NoRootIsAnOptionError) {
  EXPECT_THROW(FileBackend({.root = ""}), OptionError);
}

TEST(FileBackend, ASecondOwnerIsRefusedUntilTheFirstIsGone) {
  const TemporaryDirectory directory;
  const FileOptions options{.root = directory.path()};
  auto first = std::make_unique<FileBackend>(options);
  EXPECT_EQ(state_of([&] { FileBackend second(options); }), State::in_use);
  FileBackend reader({.root = directory.path(), .access = Access::read_only});
  first->write("k", as_bytes("v"));
  EXPECT_EQ(reader.read("k"), to_bytes("v"));
  first.reset();
  FileBackend third(options);
  EXPECT_EQ(third.read("k"), to_bytes("v"));
}

TEST(FileBackend, OwnersOfADirectoryThatDoesNotExistYetMeetAtTheFirstWrite) {
  const TemporaryDirectory directory;
  const FileOptions options{.root = directory.path() / "later"};
  FileBackend first(options);
  FileBackend second(options);
  first.write("k", as_bytes("v"));
  EXPECT_EQ(state_of([&] { second.write("k", as_bytes("w")); }), State::in_use);
  EXPECT_EQ(second.read("k"), to_bytes("v"));
}

TEST(FileBackend, AnOwnerInAnotherProcessIsAnOwner) {
  const TemporaryDirectory directory;
  const FileOptions options{.root = directory.path()};
  const auto refused_elsewhere = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        const FileBackend files(options);
        ::_exit(0);
      } catch (const StateError& error) {
        ::_exit(error.facts().state == State::in_use ? 1 : 2);
      } catch (...) {
        ::_exit(3);
      }
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  {
    const FileBackend files(options);
    EXPECT_EQ(refused_elsewhere(), 1);
  }
  EXPECT_EQ(refused_elsewhere(), 0);
}

TEST(FileBackend, ScansAndSnapshotsKeepTheDirectoryOwned) {
  const TemporaryDirectory directory;
  auto files = std::make_unique<FileBackend>(FileOptions{.root = directory.path()});
  files->write("k", as_bytes("v"));
  auto snapshot = files->snapshot();
  files.reset();
  EXPECT_EQ(state_of([&] { FileBackend second({.root = directory.path()}); }), State::in_use);
  EXPECT_EQ(snapshot->read("k"), to_bytes("v"));
  snapshot.reset();
  const FileBackend second({.root = directory.path()});
}

TEST(FileBackend, ReadOnlyWritesNothing) {
  const TemporaryDirectory directory;
  FileBackend files({.root = directory.path(), .access = Access::read_only});
  EXPECT_EQ(state_of([&] { files.write("k", as_bytes("v")); }), State::read_only);
  EXPECT_EQ(state_of([&] { files.erase("k"); }), State::read_only);
  EXPECT_EQ(state_of([&] { files.apply(WriteBatch().put("k", as_bytes("v"))); }), State::read_only);
  files.flush();
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(FileBackend, ADirectoryThatMayNotBeWrittenSaysSoWhenItIsOwnedAndIsStillRead) {
  const auto disk = std::make_shared<SimFileOps>();
  open_on(disk)->write("k", as_bytes("v"));
  static_cast<void>(disk->remove(sim_root / file_name::lock));
  disk->script(
      [](const SimFileOps::Call& call) {
        const bool writes = call.path.filename() == file_name::lock && call.operation == SimFileOps::Operation::open;
        return writes ? SimFileOps::Verdict::fail_before : SimFileOps::Verdict::pass;
      },
      EACCES);
  try {
    static_cast<void>(open_on(disk));
    FAIL() << "owned";
  } catch (const IoError& error) {
    EXPECT_EQ(error.facts().error_number, EACCES);
    EXPECT_EQ(error.facts().path, sim_root / file_name::lock);
  }
  EXPECT_EQ(open_on(disk, {.access = Access::read_only})->read("k"), to_bytes("v"));
}

TEST(FileBackend, UnsyncedSyncsNothingUntilFlushedButTheJournal) {
  const auto disk = std::make_shared<SimFileOps>();
  const auto files = open_on(disk, {.durability = Durability::unsynced});
  files->write("first", as_bytes("v"));
  const auto syncs = [&](const std::function<void()>& call) {
    disk->heal();
    call();
    return disk->calls(SimFileOps::Operation::sync);
  };
  EXPECT_EQ(syncs([&] {
              files->write("a", as_bytes("1"));
              files->write("a", as_bytes("2"));
              files->write("b", as_bytes("1"));
              files->erase("b");
              files->apply(WriteBatch().put("c", as_bytes("1")));
            }),
            0U);
  EXPECT_EQ(syncs([&] { files->apply(WriteBatch().put("d", as_bytes("1")).put("e", as_bytes("1"))); }), 1U);
  EXPECT_EQ(syncs([&] { files->flush(); }), 6U) << "first, a, c, d, e, and the directory";
  EXPECT_EQ(syncs([&] { files->flush(); }), 0U);
  EXPECT_EQ(syncs([&] { files->erase("a"); }), 0U);
  EXPECT_EQ(syncs([&] { files->flush(); }), 1U);
}

TEST(FileBackend, SyncedSyncsFileAndDirectoryPerWrite) {
  for (const Durability durability : {Durability::synced, Durability::ordered}) {
    const auto disk = std::make_shared<SimFileOps>();
    const auto files = open_on(disk, {.durability = durability});
    files->write("first", as_bytes("v"));
    disk->heal();
    files->write("a", as_bytes("1"));
    EXPECT_EQ(disk->calls(SimFileOps::Operation::sync), 2U);
    files->erase("a");
    EXPECT_EQ(disk->calls(SimFileOps::Operation::sync), 3U);
  }
}

TEST(FileBackend, AFailedSyncInFlushIsNotTakenForDoneTheNextTime) {
  const auto disk = std::make_shared<SimFileOps>();
  const auto files = open_on(disk, {.durability = Durability::unsynced});
  files->write("a", as_bytes("1"));
  disk->script(
      [](const SimFileOps::Call& call) {
        return call.operation == SimFileOps::Operation::sync ? SimFileOps::Verdict::fail_before
                                                             : SimFileOps::Verdict::pass;
      },
      EIO);
  EXPECT_THROW(files->flush(), IoError);
  disk->heal();
  EXPECT_EQ(state_of([&] { files->flush(); }), State::poisoned);
  EXPECT_EQ(files->read("a"), to_bytes("1"));
}

TEST(FileBackend, ADirectoryThatIgnoresCaseKeepsKeysApartByRefusingOne) {
  const auto disk = std::make_shared<SimFileOps>(SimFileOps::Names::compared_without_case);
  const auto files = open_on(disk);
  files->write("Foo", as_bytes("1"));
  const auto conflict = [&](const std::function<void()>& call) {
    try {
      call();
      ADD_FAILURE() << "two keys were merged";
    } catch (const ConflictError& error) {
      EXPECT_EQ(error.facts().key, "foo");
    }
  };
  conflict([&] { files->write("foo", as_bytes("2")); });
  conflict([&] { files->apply(WriteBatch().put("foo", as_bytes("2"))); });
  conflict([&] { files->apply(WriteBatch().put("bar", as_bytes("2")).put("foo", as_bytes("2"))); });
  EXPECT_EQ(files->read("foo"), std::nullopt);
  EXPECT_FALSE(files->erase("foo"));
  EXPECT_EQ(files->read("Foo"), to_bytes("1"));
  EXPECT_EQ(listed(*files), std::vector<std::string>{"Foo"});
  files->write("Foo", as_bytes("3"));
  EXPECT_TRUE(files->erase("Foo"));
  conflict([&] { files->apply(WriteBatch().put("Foo", as_bytes("2")).put("foo", as_bytes("2"))); });
  files->write("foo", as_bytes("4"));
  EXPECT_EQ(listed(*files), std::vector<std::string>{"foo"});
}

TEST(FileBackend, ADirectoryThatIgnoresCaseTakesSpellingsOfOneKeyForOneFile) {
  const auto disk = std::make_shared<SimFileOps>(SimFileOps::Names::compared_without_case);
  const auto files = open_on(disk);
  files->write("first", as_bytes("v"));
  files->erase("first");
  disk->put_file(sim_root / "%C3%A9.bin", as_bytes("old"));
  EXPECT_EQ(files->read("\xC3\xA9"), to_bytes("old"));
  files->write("\xC3\xA9", as_bytes("new"));
  EXPECT_EQ(files->read("\xC3\xA9"), to_bytes("new"));
  EXPECT_EQ(listed(*files), std::vector<std::string>{"\xC3\xA9"});
  EXPECT_TRUE(files->erase("\xC3\xA9"));
  EXPECT_EQ(files->read("\xC3\xA9"), std::nullopt);
}

TEST(FileBackend, ASnapshotCostsNoFileOperation) {
  const auto disk = std::make_shared<SimFileOps>();
  const auto files = open_on(disk);
  files->write("k", as_bytes("v"));
  disk->heal();
  const auto snapshot = files->snapshot();
  EXPECT_EQ(disk->calls(), 0U);
}

TEST(FileBackend, AScanListsOnceAndReadsValuesAsItGoes) {
  const auto disk = std::make_shared<SimFileOps>();
  const auto files = open_on(disk);
  for (char c = 'a'; c <= 'z'; ++c) files->write(std::string(1, c), as_bytes("v"));
  disk->heal();
  Scan scan = files->scan({});
  auto it = scan.begin();
  ++it;
  EXPECT_EQ(it->key, "b");
  EXPECT_EQ(disk->calls(SimFileOps::Operation::list), 1U);
  EXPECT_LE(disk->calls(SimFileOps::Operation::read), 2U);
}

TEST(FileBackend, AbsentKeysDoNotListTheDirectoryAgainWhileOnlyTheOwnerChangesIt) {
  const auto disk = std::make_shared<SimFileOps>();  // whose times of change lie long ago
  const auto files = open_on(disk);
  files->write("a", as_bytes("v"));
  EXPECT_EQ(files->read("absent"), std::nullopt);
  disk->heal();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(files->read("absent" + std::to_string(i)), std::nullopt);
    files->write(std::to_string(i), as_bytes("v"));
  }
  EXPECT_EQ(disk->calls(SimFileOps::Operation::list), 0U);
  disk->put_file(sim_root / "%61bsent.bin", as_bytes("by another program"));
  EXPECT_EQ(files->read("absent"), to_bytes("by another program"));
}

TEST(FileBackend, ReadersSeeBatchesWholeWhileTheyAreWritten) {
  const TemporaryDirectory directory;
  FileBackend files({.root = directory.path(), .durability = Durability::unsynced});
  files.apply(WriteBatch().put("left", as_bytes("0")).put("right", as_bytes("0")));
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  const auto read = [&] {
    while (!stop) {
      std::vector<std::string> values;
      for (const Entry& entry : files.scan({})) values.push_back(to_text(entry.value));
      if (values.size() != 2 || values[0] != values[1]) ++torn;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(read);
  for (int i = 1; i <= 50; ++i) {
    const std::string value = std::to_string(i);
    files.apply(WriteBatch().put("left", as_bytes(value)).put("right", as_bytes(value)));
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace holdfast
