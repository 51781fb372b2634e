#include "holdfast/db/backup.hpp"

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "db_fixture.hpp"
#include "holdfast/db/destroy.hpp"
#include "stored_file.hpp"
#include "support/child_process.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::refused_with;
using testing::StoredFile;

class Backup : public testing::DbTest {
 protected:
  void SetUp() override {
    db_ = open();
    const ByteTable table = db_->table("t");
    db_->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 2'000; ++i) table.put(txn, as_bytes(std::to_string(i)), as_bytes(std::string(50, 'v')));
      table.put(txn, as_bytes("big"), as_bytes(std::string(100'000, 'b')));
    });
    db_->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 1'500; ++i) table.erase(txn, as_bytes(std::to_string(i)));
    });
  }
  [[nodiscard]] Content everything(const Database& db) const {
    const ReadTransaction txn = db.begin_read();
    return content(db.table("t"), txn);
  }
  [[nodiscard]] bool nothing_unfinished() const {
    for (const auto& found : fs::directory_iterator(path().parent_path()))
      if (found.path().filename().string().starts_with(".holdfast-new-")) return false;
    return true;
  }
  std::shared_ptr<Database> db_;
};

TEST_F(Backup, RestoredHasExactlyTheBackupsKeysAndItsId) {
  const Content then = everything(*db_);
  const BackupReport report = backup(*db_, path("backup"));
  EXPECT_EQ(report.outcome, Outcome::finished);
  EXPECT_EQ(report.bytes, fs::file_size(path("backup")));
  EXPECT_TRUE(check_backup(path("backup")).is_sound());
  put(*db_, "t", "newer", "than the backup");
  EXPECT_EQ(restore(path("backup"), path("restored")).transaction, report.transaction);
  const auto restored = open("restored");
  EXPECT_EQ(everything(*restored), then);
  EXPECT_EQ(restored->id(), db_->id());
  EXPECT_TRUE(restored->check().is_sound());
  put(*restored, "t", "goes", "on");
  EXPECT_TRUE(restored->check().is_sound());
  EXPECT_TRUE(nothing_unfinished());
}

TEST_F(Backup, RestoredOpensForReadingOnly) {
  static_cast<void>(backup(*db_, path("backup")));
  static_cast<void>(restore(path("backup"), path("restored")));
  DatabaseOptions reading = options("restored");
  reading.access = Access::read_only;
  EXPECT_EQ(everything(*Database::open(reading)), everything(*db_));
}

TEST_F(Backup, OverwritesNothing) {
  std::ofstream(path("taken")) << "mine";
  EXPECT_THROW(static_cast<void>(backup(*db_, path("taken"))), IoError);
  EXPECT_EQ(fs::file_size(path("taken")), 4U);
  static_cast<void>(backup(*db_, path("backup")));
  EXPECT_THROW(static_cast<void>(restore(path("backup"), path())), IoError);
  EXPECT_THROW(static_cast<void>(compact_to(*db_, path("taken"))), IoError);
}

TEST_F(Backup, ThatWasCutOrAlteredOrIsForeignIsRefusedAndUntouched) {
  static_cast<void>(backup(*db_, path("backup")));
  const StoredFile sound(path("backup"));
  const auto refused = [&](const StoredFile& damaged) {
    damaged.store();
    const auto before = fs::last_write_time(path("backup"));
    std::string why = "restored";
    try {
      static_cast<void>(restore(path("backup"), path("restored")));
    } catch (const CorruptionError&) {
      why = "corrupt";
    } catch (const StateError& error) {
      why = error.facts().state == State::foreign ? "foreign" : "newer";
    }
    EXPECT_FALSE(fs::exists(path("restored")));
    EXPECT_EQ(fs::last_write_time(path("backup")), before);
    return why;
  };
  for (std::size_t cut = 1; cut < sound.content().size() - 4'096; cut += sound.content().size() / 8) {
    StoredFile shorter = sound;
    shorter.content().resize(shorter.content().size() - cut);
    EXPECT_EQ(refused(shorter), "corrupt") << cut;
  }
  for (std::size_t at = 0; at < sound.content().size(); at += 9'973) {
    StoredFile altered = sound;
    altered.content()[at] ^= 0x10;
    EXPECT_EQ(refused(altered), "corrupt") << at;
  }
  StoredFile newer = sound;
  newer.content()[newer.content().size() - 64 + 16] = 9;
  EXPECT_EQ(refused(newer), "newer");
  StoredFile foreign = sound;
  foreign.content() = std::string(50'000, 'f');
  EXPECT_EQ(refused(foreign), "foreign");
  foreign.content().clear();
  EXPECT_EQ(refused(foreign), "foreign");
}

TEST_F(Backup, WhileFourWritersCommitIsOneStateOfThem) {
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  DatabaseOptions asked = options();
  asked.durability = Durability::ordered;
  const auto db = Database::open(asked);
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      // Both entries of a commit, or none.
      for (int i = 0; !done; ++i)
        db->update([&](WriteTransaction& txn) {
          const std::string value = std::to_string(i) + std::string(static_cast<std::size_t>(i % 40) * 100, 'x');
          db->table("a").put(txn, as_bytes(std::to_string(w)), as_bytes(value));
          db->table("b").put(txn, as_bytes(std::to_string(w)), as_bytes(value));
        });
    });
  }
  for (int i = 0; i < 5; ++i) {
    const std::string name = "backup" + std::to_string(i);
    EXPECT_EQ(backup(*db, path(name)).outcome, Outcome::finished);
    static_cast<void>(restore(path(name), path(name + ".store")));
    const auto restored = open(name + ".store");
    const ReadTransaction txn = restored->begin_read();
    EXPECT_EQ(content(restored->table("a"), txn), content(restored->table("b"), txn));
  }
  done = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(db->check().is_sound());
}

TEST_F(Backup, ToACallbackIsTheSameBytes) {
  std::string streamed;
  const BackupReport report = backup(*db_, [&](ByteView piece) { streamed += as_text(piece); });
  EXPECT_EQ(report.bytes, streamed.size());
  static_cast<void>(backup(*db_, path("backup")));
  EXPECT_EQ(StoredFile(path("backup")).content(), streamed);
}

TEST_F(Backup, AnExceptionOfTheCallbackPassesUnchanged) {
  struct Mine {};
  EXPECT_THROW(static_cast<void>(backup(*db_, [](ByteView) { throw Mine{}; })), Mine);
  EXPECT_TRUE(db_->check().is_sound());
}

TEST_F(Backup, StoppedLeavesNothing) {
  std::stop_source stop;
  CheckOptions asked;
  asked.work.stop = stop.get_token();
  int steps = 0;
  asked.work.on_progress = [&](const Progress&) {
    if (++steps == 2) stop.request_stop();
  };
  EXPECT_EQ(backup(*db_, path("backup"), asked).outcome, Outcome::stopped);
  EXPECT_FALSE(fs::exists(path("backup")));
  EXPECT_TRUE(nothing_unfinished());
}

TEST_F(Backup, KilledInTheMiddleLeavesNothingOfItsNameAndTheNextCleansUp) {
  db_.reset();
  testing::ChildProcess child([&](const auto& voice) {
    const auto db = open();
    CheckOptions asked;
    asked.work.on_progress = [&](const Progress& progress) {
      if (progress.done < 2) return;
      voice.tell(1);
      std::this_thread::sleep_for(std::chrono::minutes(1));
    };
    static_cast<void>(backup(*db, path("backup"), asked));
  });
  ASSERT_EQ(child.hear(), 1U);
  child.kill();
  child.wait();
  EXPECT_FALSE(fs::exists(path("backup")));
  EXPECT_FALSE(nothing_unfinished());
  static_cast<void>(backup(*open(), path("backup")));
  EXPECT_TRUE(nothing_unfinished());
  EXPECT_TRUE(check(path()).is_sound());
}

TEST_F(Backup, OfADamagedStoreIsRefused) {
  db_.reset();
  StoredFile damaged(path() / "data.mdb");
  const std::uint64_t leaf = damaged.leaf_with(damaged.tree("table.1").root, "1700").value();
  damaged.bytes(leaf)[0] ^= 1;
  db_ = open();
  damaged.store();
  EXPECT_THROW(static_cast<void>(backup(*db_, path("backup"))), CorruptionError);
  EXPECT_THROW(static_cast<void>(backup(*db_, [](ByteView) { FAIL(); })), CorruptionError);
  EXPECT_THROW(static_cast<void>(compact_to(*db_, path("compact"))), CorruptionError);
  EXPECT_FALSE(fs::exists(path("backup")) || fs::exists(path("compact")));
}

TEST_F(Backup, CompactedHoldsTheSameInFewerPages) {
  EXPECT_EQ(compact_to(*db_, path("compact")).outcome, Outcome::finished);
  EXPECT_LT(fs::file_size(path("compact") / "data.mdb"), fs::file_size(path() / "data.mdb") * 3 / 4);
  const auto compact = open("compact");
  EXPECT_EQ(everything(*compact), everything(*db_));
  EXPECT_EQ(compact->id(), db_->id());
  put(*compact, "other", "a new table", "goes on");
  EXPECT_TRUE(compact->check().is_sound());
}

TEST_F(Backup, DestroyRemovesAStoreThatNobodyHasOpenAndNothingElse) {
  EXPECT_EQ(refused_with([&] { destroy(path()); }), State::in_use);
  db_.reset();
  std::ofstream(path() / "notes.txt") << "mine";
  destroy(path());
  EXPECT_TRUE(fs::exists(path() / "notes.txt"));
  EXPECT_FALSE(fs::exists(path() / "data.mdb"));
  fs::remove_all(path());
  static_cast<void>(open());
  destroy(path());
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_TRUE(nothing_unfinished());
  EXPECT_THROW(destroy(path()), IoError);
}

TEST_F(Backup, DestroyLeavesWhatIsNoStore) {
  fs::create_directory(path("foreign"));
  std::ofstream(path("foreign") / "data.mdb") << std::string(50'000, 'f');
  EXPECT_EQ(refused_with([&] { destroy(path("foreign")); }), State::foreign);
  EXPECT_TRUE(fs::exists(path("foreign") / "data.mdb"));
  EXPECT_EQ(refused_with([&] { destroy(path("foreign") / "data.mdb"); }), State::foreign);
}

TEST_F(Backup, OfAFifoIsRefusedAndNotWaitedFor) {
  fs::create_directory(path("foreign"));
  ASSERT_EQ(::mkfifo((path("foreign") / "data.mdb").c_str(), 0600), 0);
  EXPECT_EQ(refused_with([&] { destroy(path("foreign")); }), State::foreign);
  EXPECT_EQ(refused_with([&] { static_cast<void>(check(path("foreign"))); }), State::foreign);
  EXPECT_EQ(refused_with([&] { static_cast<void>(check_backup(path("foreign") / "data.mdb")); }), State::foreign);
}

}  // namespace
}  // namespace holdfast
