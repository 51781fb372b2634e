// What stands in a directory: names that are not ours to touch, spellings that are not ours, other programs' files.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>

#include "holdfast/backend/file.hpp"
#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

class FileNamesOnDisk : public ::testing::Test {
 protected:
  [[nodiscard]] FileBackend open(FileOptions options = {}) const {
    options.root = root_;
    return FileBackend(options);
  }
  void put(const std::string& name, const std::string& content) const {
    std::ofstream(root_ / name, std::ios::binary) << content;
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream file(root_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// All names but the lock's.
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_)) names.insert(entry.path().filename().string());
    names.erase(".holdfast.lock");
    return names;
  }
  static std::vector<std::string> listed(const BackendReader& files) {
    std::vector<std::string> keys;
    for (const Entry& entry : files.keys()) keys.push_back(entry.key);
    std::vector<std::string> read;
    for (const Entry& entry : files.scan({})) read.push_back(entry.key);
    EXPECT_EQ(keys, read);
    return keys;
  }
  /// The key's name is not a regular file: nothing can be done with it, and nothing is done to it.
  static void expect_refused(FileBackend& files, std::string_view key, int error_number) {
    const auto refused = [&](auto call) {
      try {
        call();
        ADD_FAILURE() << key << " was taken for a regular file";
      } catch (const IoError& error) {
        EXPECT_EQ(error.facts().error_number, error_number);
      }
    };
    refused([&] { static_cast<void>(files.read(key)); });
    refused([&] { files.write(key, as_bytes("v")); });
    refused([&] { files.erase(key); });
    refused([&] { files.apply(WriteBatch().put("other", as_bytes("v")).put(key, as_bytes("v"))); });
    refused([&] { files.apply(WriteBatch().require_absent(key)); });
    EXPECT_EQ(files.read("other"), std::nullopt);
    EXPECT_EQ(listed(files), std::vector<std::string>{});
  }

  testing::TemporaryDirectory directory_;
  fs::path root_ = [this] {
    fs::create_directory(directory_.path() / "store");
    return directory_.path() / "store";
  }();
};

TEST_F(FileNamesOnDisk, ALinkIsNeitherFollowedNorReplaced) {
  const fs::path target = directory_.path() / "target";
  std::ofstream(target) << "outside";
  fs::create_symlink(target, root_ / "link.bin");
  fs::create_symlink(directory_.path() / "nothing", root_ / "dangling.bin");
  auto files = open();
  expect_refused(files, "link", ELOOP);
  expect_refused(files, "dangling", ELOOP);
  EXPECT_TRUE(fs::is_symlink(root_ / "link.bin"));
  std::ifstream file(target);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "outside");
  EXPECT_FALSE(fs::exists(directory_.path() / "nothing"));
}

TEST_F(FileNamesOnDisk, ADirectoryIsNeitherReadNorReplaced) {
  fs::create_directory(root_ / "dir.bin");
  auto files = open();
  expect_refused(files, "dir", EISDIR);
  EXPECT_TRUE(fs::is_directory(root_ / "dir.bin"));
}

TEST_F(FileNamesOnDisk, APipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo((root_ / "pipe.bin").c_str(), 0600), 0);
  auto files = open();
  expect_refused(files, "pipe", EINVAL);
  EXPECT_TRUE(fs::is_fifo(root_ / "pipe.bin"));
}

TEST_F(FileNamesOnDisk, NoKeyLeavesTheDirectory) {
  auto files = open();
  const std::vector<std::string> keys = {"..",
                                         ".",
                                         "/etc/passwd",
                                         "../up",
                                         "a/../../b",
                                         ".holdfast.lock",
                                         std::string("nul\0byte", 8),
                                         ".holdfast-journal"};
  for (const auto& key : keys) files.write(key, as_bytes(key));
  for (const auto& key : keys) EXPECT_EQ(files.read(key), to_bytes(key)) << key;
  std::size_t outside = 0;
  for (const auto& entry : fs::directory_iterator(directory_.path())) outside += entry.path() != root_ ? 1U : 0U;
  EXPECT_EQ(outside, 0U);
  EXPECT_EQ(names().size(), keys.size());
  EXPECT_TRUE(names().contains("%2e%2e.bin"));
}

TEST_F(FileNamesOnDisk, AKeyWhoseNameWouldBeTooLongIsALimitAndNoFile) {
  auto files = open();
  for (const auto& [key, name_bytes] : std::vector<std::pair<std::string, std::uint64_t>>{
           {std::string(300, 'k'), 304}, {std::string(252, 'k'), 256}, {std::string(84, '/'), 256}}) {
    try {
      files.write(key, as_bytes("v"));
      FAIL() << "a name beyond what the file system takes was accepted";
    } catch (const LimitError& error) {
      EXPECT_EQ(error.facts().maximum, 255U);
      EXPECT_EQ(error.facts().actual, name_bytes);
    }
    EXPECT_THROW(static_cast<void>(files.read(key)), LimitError);
    EXPECT_THROW(files.erase(key), LimitError);
  }
  files.write(std::string(251, 'k'), as_bytes("v"));
  files.write(std::string(83, '/') + "ab", as_bytes("v"));
  EXPECT_EQ(names().size(), 2U);
}

TEST_F(FileNamesOnDisk, AKeyThatIsNotUtf8IsUnsupported) {
  auto files = open();
  EXPECT_THROW(files.write("\xFF", as_bytes("v")), UnsupportedError);
  EXPECT_THROW(static_cast<void>(files.read("\xED\xA0\x80")), UnsupportedError);
  EXPECT_THROW(files.erase("\xC3"), UnsupportedError);
  EXPECT_EQ(names(), std::set<std::string>{});
}

TEST_F(FileNamesOnDisk, NamesAndContentsAreThoseOfTheSharedVectors) {
  std::ifstream golden(std::string(HOLDFAST_GOLDEN_DIR) + "/file-keys.json");
  const Json vectors = parse_json(std::string(std::istreambuf_iterator<char>(golden), {}));
  auto files = open();
  std::set<std::string> want;
  for (const Json& vector : vectors.at("keys")) {
    const auto key = vector.at("key").get<std::string>();
    const auto name = vector.at("filename").get<std::string>();
    const std::string value = "value of " + name + std::string(1, '\0');
    files.write(key, as_bytes(value));
    EXPECT_EQ(content(name), value);
    want.insert(name);
  }
  EXPECT_EQ(names(), want);
  for (const Json& vector : vectors.at("decode")) {
    for (const auto& name : names()) fs::remove(root_ / name);
    put(vector.at("filename").get<std::string>(), "v");
    EXPECT_EQ(listed(files), vector.at("lists").get<std::vector<std::string>>()) << vector.at("filename");
    for (const auto& key : listed(files)) EXPECT_EQ(files.read(key), to_bytes("v")) << key;
  }
}

TEST_F(FileNamesOnDisk, AForeignSpellingIsReadAndListedOnce) {
  auto files = open();
  put("caf%C3%A9.bin", "foreign");
  EXPECT_EQ(files.read("caf\xC3\xA9"), to_bytes("foreign"));
  EXPECT_EQ(listed(files), std::vector<std::string>{"caf\xC3\xA9"});
  put("caf%c3%a9.bin", "canonical");
  EXPECT_EQ(files.read("caf\xC3\xA9"), to_bytes("canonical"));
  EXPECT_EQ(listed(files), std::vector<std::string>{"caf\xC3\xA9"});
}

TEST_F(FileNamesOnDisk, AWriteLeavesOnlyTheCanonicalName) {
  auto files = open();
  put("caf%C3%A9.bin", "1");
  put("c%61f%C3%a9.bin", "2");
  files.write("caf\xC3\xA9", as_bytes("new"));
  EXPECT_EQ(names(), std::set<std::string>{"caf%c3%a9.bin"});
  put("caf%C3%A9.bin", "1");
  files.apply(WriteBatch().put("caf\xC3\xA9", as_bytes("newer")).put("b", as_bytes("2")));
  EXPECT_EQ(names(), (std::set<std::string>{"caf%c3%a9.bin", "b.bin"}));
  EXPECT_EQ(content("caf%c3%a9.bin"), "newer");
}

TEST_F(FileNamesOnDisk, AnErasureLeavesNoName) {
  auto files = open();
  put("caf%C3%A9.bin", "1");
  put("c%61f%C3%a9.bin", "2");
  EXPECT_TRUE(files.erase("caf\xC3\xA9"));
  EXPECT_EQ(names(), std::set<std::string>{});
  EXPECT_FALSE(files.erase("caf\xC3\xA9"));
}

TEST_F(FileNamesOnDisk, AForeignSpellingThatIsALinkIsRefusedToo) {
  fs::create_symlink(directory_.path() / "nothing", root_ / "caf%C3%A9.bin");
  auto files = open();
  expect_refused(files, "caf\xC3\xA9", ELOOP);
}

TEST_F(FileNamesOnDisk, HiddenNamesAreKeysOnlyWhenAskedFor) {
  put(".secret.bin", "hidden");
  put(".bin", "empty key");
  put("seen.bin", "seen");
  put(".holdfast.lock", "");
  {
    const auto files = open({.access = Access::read_only});
    EXPECT_EQ(listed(files), (std::vector<std::string>{"", "seen"}));
    EXPECT_EQ(files.read(".secret"), std::nullopt);
  }
  auto files = open({.include_hidden = true});
  EXPECT_EQ(listed(files), (std::vector<std::string>{"", ".secret", "seen"}));
  EXPECT_EQ(files.read(".secret"), to_bytes("hidden"));
  files.write(".secret", as_bytes("new"));
  EXPECT_EQ(names(), (std::set<std::string>{"%2esecret.bin", ".bin", "seen.bin"}));
}

TEST_F(FileNamesOnDisk, TheOwnerSweepsWhatInterruptedWritesLeftAndNothingElse) {
  const std::set<std::string> others = {".simple.bin.0123456789abcdef.tmp",
                                        "holdfast-tmp-1",
                                        ".holdfast",
                                        "notes.txt",
                                        ".hidden",
                                        "a.bin",
                                        ".holdfastx-tmp"};
  for (const auto& name : others) put(name, "others");
  put(".holdfast-tmp-7", "half a val");
  put(".holdfast-something", "later version");
  fs::create_directory(root_ / ".holdfast-directory");
  { const auto reader = open({.access = Access::read_only}); }
  EXPECT_TRUE(names().contains(".holdfast-tmp-7")) << "swept by a reader";
  const auto files = open();
  auto want = others;
  want.insert(".holdfast-directory");
  EXPECT_EQ(names(), want);
}

}  // namespace
}  // namespace holdfast
