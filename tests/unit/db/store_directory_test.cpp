#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <vector>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "forwarding_file_ops.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::refused_with;

class StoreDirectoryOnDisk : public testing::DbTest {};

/// Tells which directories were synced; one of them cannot be.
class DirectorySyncs final : public testing::ForwardingFileOps {
 public:
  int open(const Path& path, int flags, unsigned mode) override {
    const int fd = ForwardingFileOps::open(path, flags, mode);
    if (fd >= 0) paths_[fd] = path.filename() == "." ? path.parent_path() : path;
    return fd;
  }
  int sync(int fd) override {
    FileStatus status;
    if (status_of(fd, status) < 0 || status.kind != FileKind::directory) return ForwardingFileOps::sync(fd);
    if (paths_[fd] == failing) return -error_number;
    synced.push_back(paths_[fd]);
    return ForwardingFileOps::sync(fd);
  }

  Path failing;
  int error_number = EIO;
  std::vector<Path> synced;

 private:
  std::map<int, Path> paths_;
};

TEST_F(StoreDirectoryOnDisk, WhoseNameIsNotYetOnTheDiskIsSyncedByTheNextOpening) {
  fs::create_directory(path());
  const auto ops = std::make_shared<DirectorySyncs>();
  ops->failing = path();
  EXPECT_THROW(static_cast<void>(detail::Environment::open(options(), ops)), IoError);
  ASSERT_TRUE(fs::exists(path() / "data.mdb"));
  ops->failing.clear();
  ops->synced.clear();
  static_cast<void>(detail::Environment::open(options(), ops));
  EXPECT_EQ(ops->synced, std::vector<fs::path>{path()});
}

TEST_F(StoreDirectoryOnDisk, IsNotMadeBeforeTheNamesOnTheWayToItAreOnTheDiskWhoeverMadeThose) {
  const auto store = path("a") / "b" / "store";
  fs::create_directories(store);
  DatabaseOptions options = this->options();
  options.path = store;
  const auto ops = std::make_shared<DirectorySyncs>();
  ops->failing = path("a");
  EXPECT_THROW(static_cast<void>(detail::Environment::open(options, ops)), IoError);
  EXPECT_FALSE(fs::exists(store / "data.mdb"));
  ops->failing.clear();
  ops->synced.clear();
  static_cast<void>(detail::Environment::open(options, ops));
  for (const auto& way : {path("a") / "b", path("a"), path("a").parent_path()})
    EXPECT_EQ(std::ranges::count(ops->synced, way), 1) << way;
}

TEST_F(StoreDirectoryOnDisk, BelowADirectoryThatMayNotBeLookedAtIsMadeAllTheSame) {
  fs::create_directories(path("a") / "store");
  DatabaseOptions options = this->options();
  options.path = path("a") / "store";
  const auto ops = std::make_shared<DirectorySyncs>();
  ops->failing = path("a");
  ops->error_number = EACCES;
  EXPECT_TRUE(detail::Environment::open(options, ops));
}

TEST_F(StoreDirectoryOnDisk, WhoseDataFileWasReplacedWhileItIsOpenIsNotOpenedBesideIt) {
  put(*open("other"), "t", "k", "theirs");
  auto db = open();
  put(*db, "t", "k", "ours");
  fs::rename(path("other") / "data.mdb", path() / "data.mdb");
  EXPECT_EQ(refused_with([&] { static_cast<void>(open()); }), State::in_use);
  put(*db, "t", "k", "ours again");
  db.reset();
  EXPECT_EQ(get(*open(), "t", "k"), "theirs");
}

}  // namespace
}  // namespace holdfast
