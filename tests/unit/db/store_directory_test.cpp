#include <cerrno>
#include <filesystem>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "forwarding_file_ops.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::refused_with;

class StoreDirectoryOnDisk : public testing::DbTest {};

/// Counts the syncs of directories; they fail while told to.
class DirectorySyncs final : public testing::ForwardingFileOps {
 public:
  int sync(int fd) override {
    FileStatus status;
    if (status_of(fd, status) < 0 || status.kind != FileKind::directory) return ForwardingFileOps::sync(fd);
    if (failing) return -EIO;
    ++succeeded;
    return ForwardingFileOps::sync(fd);
  }
  bool failing = false;
  int succeeded = 0;
};

TEST_F(StoreDirectoryOnDisk, WhoseNameIsNotYetOnTheDiskIsSyncedByTheNextOpening) {
  fs::create_directory(path());
  const auto ops = std::make_shared<DirectorySyncs>();
  ops->failing = true;
  EXPECT_THROW(static_cast<void>(detail::Environment::open(options(), ops)), IoError);
  ASSERT_TRUE(fs::exists(path() / "data.mdb"));
  ops->failing = false;
  static_cast<void>(detail::Environment::open(options(), ops));
  EXPECT_EQ(ops->succeeded, 1);
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
