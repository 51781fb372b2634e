#include "db/judgement.hpp"

#include <lmdb.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "db/environment.hpp"
#include "db/meta_pages.hpp"
#include "db_fixture.hpp"
#include "forwarding_file_ops.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::refused_with;

constexpr std::size_t meta_bytes = sizeof(detail::MetaPage);

class Judgement : public testing::DbTest {
 protected:
  void SetUp() override {
    auto db = open();
    put(*db, "t", "a", "1");
    put(*db, "t", "big", std::string(20'000, 'x'));
    put(*db, "t", "b", "2");
    db->update([&](WriteTransaction& txn) { EXPECT_TRUE(db->table("t").erase(txn, as_bytes("big"))); });
    put(*db, "t", "c", "3");
    db.reset();
    std::ifstream in(data(), std::ios::binary);
    sound_.assign(std::istreambuf_iterator<char>(in), {});
    page_bytes_ = sound_meta(0).free.pad;
  }

  [[nodiscard]] fs::path data() const { return path() / "data.mdb"; }
  /// In place where the size allows it: ext4 syncs a file that was truncated to be written anew.
  void store(const std::string& content) const {
    const bool same_size = fs::file_size(data()) == content.size();
    std::ofstream(data(), std::ios::binary | (same_size ? std::ios::in : std::ios::trunc)) << content;
  }
  [[nodiscard]] std::string stored() const {
    std::ifstream in(data(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] detail::MetaPage sound_meta(std::size_t index) const {
    detail::MetaPage meta;
    std::memcpy(&meta, sound_.data() + index * page_bytes_, sizeof meta);
    return meta;
  }

  /// What comes of opening `content`: "store" if it opens and holds what it should, "commit before" if the last commit
  /// is missing, "other" if it holds something else, otherwise which error. Whatever comes, the file must be as it was.
  std::string opening(const std::string& content) {
    store(content);
    const auto changed_at = fs::last_write_time(data());
    std::string outcome;
    try {
      const auto db = open();
      const ReadTransaction txn = db->begin_read();
      const ByteTable table = db->table("t");
      const Content all = DbTest::content(table, txn);
      const bool counted = table.count(txn) == all.size();
      outcome = counted && all == Content{{"a", "1"}, {"b", "2"}, {"c", "3"}} ? "store"
                : counted && all == Content{{"a", "1"}, {"b", "2"}}           ? "commit before"
                                                                              : "other";
    } catch (const CorruptionError&) {
      outcome = "corrupt";
    } catch (const StateError& error) {
      outcome = error.facts().state == State::foreign        ? "foreign"
                : error.facts().state == State::newer_format ? "newer"
                                                             : error.what();
    }
    EXPECT_TRUE(stored() == content) << "the file was changed";
    EXPECT_EQ(fs::last_write_time(data()), changed_at) << "the file was written";
    return outcome;
  }

  std::string sound_;
  std::size_t page_bytes_ = 4096;
};

TEST_F(Judgement, OfASoundStoreIsAStore) {
  EXPECT_EQ(opening(sound_), "store");
}

TEST_F(Judgement, EveryByteOfBothMetaPagesFlippedInTurnGivesAnErrorOrAStore) {
  int errors = 0;
  for (std::size_t page = 0; page < 2; ++page) {
    for (std::size_t at = 0; at < meta_bytes; ++at) {
      for (const unsigned flip : {0x01U, 0x02U, 0x80U, 0xFFU}) {
        std::string flipped = sound_;
        char& byte = flipped[page * page_bytes_ + at];
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ flip);
        const std::string outcome = opening(flipped);
        // Two transaction numbers can be changed so that both are good and the older page seems the newer.
        EXPECT_TRUE(outcome == "store" || outcome == "commit before" || outcome == "corrupt" || outcome == "foreign" ||
                    outcome == "newer")
            << outcome << ": page " << page << ", byte " << at << ", flipped " << flip;
        errors += outcome == "store" ? 0 : 1;
      }
    }
    for (std::size_t at = meta_bytes; at < page_bytes_; at += 61) {  // nobody reads these
      std::string flipped = sound_;
      flipped[page * page_bytes_ + at] = '\x5a';
      EXPECT_EQ(opening(flipped), "store") << "page " << page << ", byte " << at;
    }
  }
  EXPECT_GT(errors, 500);
}

TEST_F(Judgement, CutAtEveryPageAndInsideEachIsCorruptionUnlessOnlyFreePagesAreMissing) {
  int stores = 0;
  for (std::size_t size = 0; size < sound_.size(); size += page_bytes_ / 2) {
    const std::string outcome = opening(sound_.substr(0, size));
    EXPECT_TRUE(outcome == "corrupt" || outcome == "store") << outcome << ": cut to " << size << " bytes";
    stores += outcome == "store" ? 1 : 0;
  }
  EXPECT_LT(static_cast<std::size_t>(stores), sound_.size() / page_bytes_);
}

TEST_F(Judgement, MissingPagesThatAreFreeAreNoDamageAndAreWrittenAgain) {
  {
    const auto db = open();
    put(*db, "t", "tail", std::string(200'000, 'y'));
    db->update([&](WriteTransaction& txn) { EXPECT_TRUE(db->table("t").erase(txn, as_bytes("tail"))); });
  }
  std::string whole = stored();
  const std::string cut = whole.substr(0, whole.size() - 20 * page_bytes_);
  EXPECT_EQ(opening(cut), "store");
  {
    const auto db = open();
    for (int i = 0; i < 4; ++i) put(*db, "t", "tail", std::string(200'000, static_cast<char>('0' + i)));
    EXPECT_EQ(get(*db, "t", "tail"), std::string(200'000, '3'));
  }
  EXPECT_EQ(get(*open(), "t", "tail"), std::string(200'000, '3'));
}

TEST_F(Judgement, ALastPageBeyondTheFileIsCorruption) {
  for (std::size_t page = 0; page < 2; ++page) {
    detail::MetaPage meta = sound_meta(page);
    meta.last_page += 1000;
    std::string longer = sound_;
    std::memcpy(longer.data() + page * page_bytes_, &meta, sizeof meta);
    const bool current = meta.transaction > sound_meta(1 - page).transaction;
    EXPECT_EQ(opening(longer), "corrupt") << (current ? "current" : "older");
  }
}

TEST_F(Judgement, TreesOfTheOlderMetaPageAreNobodysAndTheNextCommitWritesThemAnew) {
  const std::size_t older = sound_meta(0).transaction < sound_meta(1).transaction ? 0 : 1;
  detail::MetaPage meta = sound_meta(older);
  meta.main.root = meta.last_page + 1;
  std::string stale = sound_;
  std::memcpy(stale.data() + older * page_bytes_, &meta, sizeof meta);
  EXPECT_EQ(opening(stale), "store");
  put(*open(), "t", "d", "4");
  EXPECT_EQ(get(*open(), "t", "d"), "4");
}

TEST_F(Judgement, OfNamesThatAreNoFilesIsForeignOrTheSystemsWordAndNeverAWait) {
  for (const char* name : {"data.mdb", "lock.mdb", "LOCK"}) {
    for (const Access access : {Access::read_write, Access::read_only}) {
      const auto expect_refused = [&](const char* what) {
        DatabaseOptions asked = options("odd");
        asked.access = access;
        EXPECT_THROW(static_cast<void>(Database::open(asked)), Error) << name << " as " << what;
        const auto found = fs::symlink_status(path("odd") / name);
        EXPECT_FALSE(fs::is_regular_file(found) || !fs::exists(found)) << name << " as " << what;
        fs::remove_all(path("odd"));
      };
      const auto copy = [&] {
        fs::create_directory(path("odd"));
        for (const char* other : {"data.mdb", "lock.mdb", "LOCK"})
          if (std::string_view(other) != name) fs::copy_file(path() / other, path("odd") / other);
        return path("odd") / name;
      };
      ASSERT_EQ(::mkfifo(copy().c_str(), 0600), 0);
      expect_refused("a FIFO");
      fs::create_directory(copy());
      expect_refused("a directory");
      fs::create_symlink(path() / name, copy());
      expect_refused("a link");
      ASSERT_EQ(::mknod(copy().c_str(), S_IFSOCK | 0600, 0), 0);
      expect_refused("a socket");
    }
  }
}

TEST_F(Judgement, AnEmptyFileIsCorruptAndNotANewStore) {
  EXPECT_EQ(opening(""), "corrupt");
}

TEST_F(Judgement, OtherFilesAreForeign) {
  EXPECT_EQ(opening(std::string(100'000, 'z')), "foreign");
  EXPECT_EQ(opening("#!/bin/sh\n" + std::string(500, ' ')), "foreign");
  EXPECT_EQ(opening(std::string(100'000, '\0')), "foreign");
}

TEST_F(Judgement, AFileOfLmdb10OrOfALaterDataFormatIsNewer) {
  std::string later(100'000, '\0');
  const std::uint32_t magic = 0xBEEFC0DE;
  std::memcpy(later.data() + 24, &magic, sizeof magic);
  EXPECT_EQ(opening(later), "newer");

  std::string format = sound_;
  for (std::size_t page = 0; page < 2; ++page) {
    detail::MetaPage meta = sound_meta(page);
    meta.version = 2;
    std::memcpy(format.data() + page * page_bytes_, &meta, sizeof meta);
  }
  EXPECT_EQ(opening(format), "newer");
}

TEST_F(Judgement, ARootPageThatIsAnotherPageIsCorruption) {
  const std::size_t current = sound_meta(0).transaction > sound_meta(1).transaction ? 0 : 1;
  const auto root_at = sound_meta(current).main.root * page_bytes_;
  std::string number = sound_;
  number[root_at] = static_cast<char>(number[root_at] + 1);
  EXPECT_EQ(opening(number), "corrupt");
  std::string flags = sound_;
  flags[root_at + 10] = 4;  // an overflow page
  EXPECT_EQ(opening(flags), "corrupt");
}

TEST_F(Judgement, OfAStoreThatIsWrittenMeanwhileFindsNothing) {
  DatabaseOptions asked = options();
  asked.durability = Durability::ordered;
  const auto db = Database::open(asked);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i)
      put(*db, "t", std::to_string(i % 20), std::string(static_cast<std::size_t>(i) * 50, 'x'));
    done = true;
  });
  const File file(system_file_ops(), data(), 0);
  int judged = 0;
  while (!done || judged == 0) {
    EXPECT_NO_THROW(detail::judge(file));
    ++judged;
  }
  writer.join();
}

/// A writer at work: the meta pages that are read first are torn.
class TornOnce final : public testing::ForwardingFileOps {
 public:
  std::int64_t read_at(int fd, std::span<std::byte> out, std::uint64_t at) override {
    const auto count = ForwardingFileOps::read_at(fd, out, at);
    if (reads_++ == 0 && count > 144) out[144] = std::byte{0xFF};
    return count;
  }
  int reads_ = 0;
};

TEST_F(Judgement, GoesByNoReadOfTheMetaPagesThatAnotherDoesNotConfirm) {
  const auto ops = std::make_shared<TornOnce>();
  EXPECT_NO_THROW(detail::judge(File(ops, data(), 0)));
  EXPECT_GT(ops->reads_, 4);
}

class Remote final : public testing::ForwardingFileOps {
 public:
  int file_system(const Path& path, FileSystemStatus& out) override {
    const int result = ForwardingFileOps::file_system(path, out);
    out.remote = true;
    return result;
  }
};

TEST_F(Judgement, ARemoteFileSystemIsRefusedUnlessAllowed) {
  const auto ops = std::make_shared<Remote>();
  EXPECT_EQ(refused_with([&] { static_cast<void>(detail::Environment::open(options(), ops)); }), State::remote);
  DatabaseOptions allowed = options();
  allowed.allow_remote = true;
  EXPECT_NE(detail::Environment::open(allowed, ops), nullptr);
}

}  // namespace
}  // namespace holdfast
