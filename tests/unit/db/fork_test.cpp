#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "core/file_io.hpp"
#include "db/sole_store.hpp"
#include "db_fixture.hpp"
#include "holdfast/backend/lmdb.hpp"
#include "support/child_process.hpp"

/// A child keeps, on purpose, what it inherited, and what was held by threads that only its parent has: asked at the
/// exit of every process, whether its leaks are of no interest.
static const pid_t test_process = ::getpid();
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() {
  return ::getpid() == test_process ? 0 : 1;
}

namespace holdfast {
namespace {

using testing::ChildProcess;
using testing::refused_with;

class Fork : public testing::DbTest {
 protected:
  /// Whether `call` is refused for being made in a child on what the parent opened.
  template <class Call>
  static bool forked(Call call) {
    return refused_with(call) == State::forked;
  }
  /// A child that does not come to its end is one that waits for a lock nobody in it holds.
  static void must_end_soon() { ::alarm(60); }
};

/// One of everything that a process can have open on a store.
struct Everything {
  explicit Everything(const std::shared_ptr<Database>& opened)
      : db(opened), backend(opened), table(opened->table("t")), read(opened->begin_read()) {
    snapshot = backend.snapshot();
    scan.emplace(snapshot->scan({}));
    EXPECT_TRUE(scan->begin() != std::default_sentinel);
    range.emplace(table.scan(read));
    EXPECT_TRUE(range->begin() != std::default_sentinel);
  }

  std::shared_ptr<Database> db;
  LmdbBackend backend;
  ByteTable table;
  ReadTransaction read;
  std::unique_ptr<const BackendSnapshot> snapshot;
  std::optional<Scan> scan;
  std::optional<ByteRange> range;
};

TEST_F(Fork, MakesEveryCallOnWhatTheParentOpenedForkedInTheChild) {
  const auto db = open();
  for (int i = 0; i < 5; ++i) put(*db, "t", std::to_string(i), "v");
  LmdbBackend(db).write("k", as_bytes("v"));
  LmdbBackend(db).write("l", as_bytes("v"));
  Everything all(db);
  CommittableTransaction writing = db->begin_write();
  all.table.put(writing, as_bytes("5"), as_bytes("v"));
  db->table("made here").put(writing, as_bytes("k"), as_bytes("v"));
  ByteRange of_writing = db->table("made here").scan(writing);
  const auto ignore = [](ByteView) {};
  CheckCursor cursor;

  ChildProcess child([&](ChildProcess::Voice voice) {
    must_end_soon();
    const std::vector<bool> refused = {
        forked([&] { static_cast<void>(db->begin_read()); }),
        forked([&] { static_cast<void>(db->begin_write()); }),
        forked([&] { db->view([](const ReadTransaction&) {}); }),
        forked([&] { db->update([](WriteTransaction&) {}); }),
        forked([&] { static_cast<void>(db->table("t")); }),
        forked([&] { db->flush(); }),
        forked([&] { static_cast<void>(db->try_begin_write(std::chrono::milliseconds(0))); }),
        forked([&] { static_cast<void>(db->stats()); }),
        forked([&] { static_cast<void>(db->check()); }),
        forked([&] { static_cast<void>(db->check_part(cursor, 10)); }),
        forked([&] { static_cast<void>(db->tables()); }),
        forked([&] { static_cast<void>(db->tables(all.read)); }),
        forked([&] { static_cast<void>(db->drop_table(writing, "t")); }),
        forked([&] { static_cast<void>(db->rename_table(writing, "t", "u")); }),
        forked([&] { writing.savepoint([] {}); }),
        forked([&] { static_cast<void>(all.table.get(all.read, as_bytes("1"))); }),
        forked([&] { static_cast<void>(all.table.view(all.read, as_bytes("1"))); }),
        forked([&] { static_cast<void>(all.table.count(all.read)); }),
        forked([&] { static_cast<void>(all.table.scan(all.read)); }),
        forked([&] { static_cast<void>(all.range->begin()); }),
        forked([&] { static_cast<void>(of_writing.begin()); }),
        forked([&] { static_cast<void>(all.table.get(writing, as_bytes("1"))); }),
        forked([&] { static_cast<void>(db->table("made here").count(writing)); }),
        forked([&] { all.table.put(writing, as_bytes("1"), as_bytes("w")); }),
        forked([&] { static_cast<void>(all.table.erase(writing, as_bytes("1"))); }),
        forked([&] { static_cast<void>(writing.commit()); }),
        forked([&] { writing.rollback(); }),
        forked([&] { static_cast<void>(all.backend.view("k", ignore)); }),
        forked([&] { static_cast<void>(all.backend.scan({})); }),
        forked([&] { static_cast<void>(all.backend.snapshot()); }),
        forked([&] { all.backend.write("k", as_bytes("w")); }),
        forked([&] { static_cast<void>(all.backend.erase("k")); }),
        forked([&] { all.backend.apply(WriteBatch().put("k", to_bytes("w"))); }),
        forked([&] { all.backend.flush(); }),
        forked([&] { static_cast<void>(all.snapshot->view("k", ignore)); }),
        forked([&] { static_cast<void>(all.snapshot->scan({})); }),
        forked([&] { static_cast<void>(++all.scan->begin()); }),
    };
    for (const bool said : refused) voice.tell(said ? 1 : 0);
  });
  int calls = 0;
  for (; const auto said = child.hear(); ++calls) EXPECT_EQ(said, 1U) << "call " << calls;
  EXPECT_EQ(calls, 37);
  EXPECT_EQ(child.wait(), 0);
  static_cast<void>(writing.commit());
  EXPECT_EQ(get(*db, "t", "5"), "v");
  EXPECT_EQ(get(*db, "made here", "k"), "v");
}

TEST_F(Fork, ThenDestroyingEverythingAndExitingInTheChildLeavesTheParentsSnapshotAndWritersAlone) {
  const auto fill = [](Database& db, char with) {
    db.update([&](WriteTransaction& txn) {
      for (int i = 0; i < 1000; ++i)
        db.table("t").put(txn, as_bytes(std::to_string(i)), to_bytes(std::string(6000, with)));
    });
  };
  auto db = open();
  fill(*db, 'a');
  LmdbBackend(db).write("k", as_bytes("v"));
  {
    const std::vector<ReadTransaction> pooled = [&] {
      std::vector<ReadTransaction> readers;
      for (int i = 0; i < 20; ++i) readers.push_back(db->begin_read());
      return readers;
    }();
  }
  auto all = std::make_unique<Everything>(db);

  std::promise<void> begun;
  std::promise<void> may_commit;
  std::thread writer([&] {
    CommittableTransaction txn = db->begin_write();
    db->table("t").put(txn, as_bytes("of the writer"), as_bytes("v"));
    begun.set_value();
    may_commit.get_future().wait();
    static_cast<void>(txn.commit());
  });
  begun.get_future().wait();
  {
    ChildProcess child([&](ChildProcess::Voice) {
      must_end_soon();
      static std::shared_ptr<Database> of_an_exit_handler;
      of_an_exit_handler = db;
      all.reset();
      db.reset();
      std::exit(0);
    });
    EXPECT_EQ(child.wait(), 0);
  }
  may_commit.set_value();
  writer.join();
  for (const char with : {'b', 'c', 'd', 'e'}) fill(*db, with);

  EXPECT_EQ(all->table.count(all->read), 1000U);
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(to_text(all->table.get(all->read, as_bytes(std::to_string(i))).value()) == std::string(6000, 'a')) << i;
  EXPECT_EQ(to_text(all->snapshot->read("k").value()), "v");
  EXPECT_EQ(get(*db, "t", "of the writer"), "v");
  EXPECT_EQ(get(*db, "t", "999"), std::string(6000, 'e'));
}

TEST_F(Fork, InsideAnUpdateRollsBackInTheChildAndCommitsInTheParent) {
  const auto db = open();
  bool child_was_refused = false;
  db->update([&](WriteTransaction& txn) {
    db->table("t").put(txn, as_bytes("k"), as_bytes("v"));
    ChildProcess child([&](ChildProcess::Voice voice) {
      must_end_soon();
      voice.tell(forked([&] { db->table("t").put(txn, as_bytes("k"), as_bytes("w")); }) ? 1 : 0);
      std::exit(0);
    });
    child_was_refused = child.hear() == 1U;
    EXPECT_EQ(child.wait(), 0);
  });
  EXPECT_TRUE(child_was_refused);
  EXPECT_EQ(get(*db, "t", "k"), "v");
}

TEST_F(Fork, LetsTheChildOpenTheStoreAnewAndWriteBesideItsParent) {
  auto db = open();
  put(*db, "t", "k", "of the parent");
  const ReadTransaction pinned = db->begin_read();
  ChildProcess child([&](ChildProcess::Voice voice) {
    must_end_soon();
    const auto anew = open();
    voice.tell(get(*anew, "t", "k") == "of the parent" ? 1 : 0);
    put(*anew, "t", "k", "of the child");
    voice.tell(refused_with([&] { static_cast<void>(db->table("t")); }) == State::forked ? 1 : 0);
    const ByteTable table = anew->table("t");
    voice.tell(forked([&] { static_cast<void>(table.get(pinned, as_bytes("k"))); }) ? 1 : 0);
    db.reset();
    for (int i = 0; i < 100; ++i) put(*anew, "t", std::to_string(i), "v");
    std::exit(0);
  });
  EXPECT_EQ(child.hear(), 1U) << "what the parent wrote is missing";
  EXPECT_EQ(child.hear(), 1U) << "the old handle served";
  EXPECT_EQ(child.hear(), 1U) << "the old transaction served a new table";
  for (int i = 0; i < 100; ++i) put(*db, "t", std::to_string(100 + i), "v");
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(get(*db, "t", "k"), "of the child");
  EXPECT_EQ(to_text(db->table("t").get(pinned, as_bytes("k")).value()), "of the parent");
  const ReadTransaction now = db->begin_read();
  EXPECT_EQ(db->table("t").count(now), 201U);
}

TEST_F(Fork, ByAProcessThatIsKilledLeavesNoLockToItsChild) {
  const auto ops = system_file_ops();
  const auto held = [&] {
    const File lock(ops, path() / "LOCK", O_RDWR);
    const File data(ops, path() / "data.mdb", O_RDWR);
    const File readers(ops, path() / "lock.mdb", O_RDWR);
    return (ops->try_lock(lock.fd(), LockMode::exclusive) < 0 ? 1 : 0) +
           (ops->try_lock(data.fd(), LockMode::exclusive) < 0 ? 1 : 0) +
           (ops->try_lock_byte(readers.fd(), 0, LockMode::exclusive) < 0 ? 1 : 0);
  };
  ChildProcess parent([&](ChildProcess::Voice voice) {
    const auto db = open();
    put(*db, "t", "k", "v");
    const CommittableTransaction writing = db->begin_write();
    if (::fork() == 0) {
      ::alarm(600);
      voice.tell(static_cast<std::uint64_t>(::getpid()));
    }
    for (;;) ::pause();
  });
  const auto grandchild = static_cast<pid_t>(parent.hear().value());
  EXPECT_EQ(held(), 3) << "the parent's locks must outlive the fork";
  parent.kill();
  EXPECT_EQ(parent.wait(), 128 + SIGKILL);
  EXPECT_EQ(::kill(grandchild, 0), 0);
  EXPECT_EQ(held(), 0);
  put(*open(), "t", "k", "w");
  ::kill(grandchild, SIGKILL);
}

TEST_F(Fork, WhileAStoreIsHeldAloneLeavesItToTheParentAloneWhateverTheChildDoes) {
  static_cast<void>(open());
  auto alone = std::make_optional<detail::SoleStore>(path(), system_file_ops());
  ChildProcess child([&](ChildProcess::Voice voice) {
    must_end_soon();
    voice.tell(refused_with([&] { static_cast<void>(open()); }) == State::in_use ? 1 : 0);
    alone.reset();
    voice.tell(refused_with([&] { static_cast<void>(open()); }) == State::in_use ? 1 : 0);
    std::exit(0);
  });
  EXPECT_EQ(child.hear(), 1U) << "the child opened what its parent holds alone";
  EXPECT_EQ(child.hear(), 1U) << "the child gave its parent's hold back";
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(refused_with([&] { static_cast<void>(open()); }), State::in_use);
  alone.reset();
  put(*open(), "t", "k", "v");
}

TEST_F(Fork, ByAProcessThatHoldsAStoreAloneAndIsKilledLeavesNoHoldToItsChild) {
  static_cast<void>(open());
  ChildProcess parent([&](ChildProcess::Voice voice) {
    const detail::SoleStore alone(path(), system_file_ops());
    if (::fork() == 0) {
      ::alarm(600);
      voice.tell(static_cast<std::uint64_t>(::getpid()));
    }
    for (;;) ::pause();
  });
  const auto grandchild = static_cast<pid_t>(parent.hear().value());
  EXPECT_EQ(refused_with([&] { static_cast<void>(open()); }), State::in_use);
  parent.kill();
  EXPECT_EQ(parent.wait(), 128 + SIGKILL);
  EXPECT_EQ(::kill(grandchild, 0), 0);
  put(*open(), "t", "k", "v");
  ::kill(grandchild, SIGKILL);
}

// The address sanitizer of g++ 12 leaves its allocator's locks as they are at a fork: a child of a process whose other
// threads allocate waits for ever in its own malloc, whatever the program does.
#ifndef __SANITIZE_ADDRESS__
TEST_F(Fork, AtAnyMomentOfOtherThreadsCallsLeavesAChildThatCanOpenAndClose) {
  const auto db = open();
  put(*db, "t", "k", "v");
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    while (!done) static_cast<void>(open("opened and closed"));
  });
  threads.emplace_back([&] {
    while (!done) static_cast<void>(get(*db, "t", "k"));
  });
  threads.emplace_back([&] {
    DatabaseOptions ordered = options();
    ordered.durability = Durability::ordered;
    const auto writing = Database::open(ordered);
    while (!done) put(*writing, "t", "k", "v");
  });
  for (int round = 0; round < 50; ++round) {
    ChildProcess child([&](ChildProcess::Voice) {
      must_end_soon();
      if (!forked([&] { static_cast<void>(db->begin_read()); })) ::_exit(4);
      if (!forked([&] { static_cast<void>(db->begin_write()); })) ::_exit(5);
      static_cast<void>(open("opened and closed"));
      if (get(*open(), "t", "k") != "v") ::_exit(6);
    });
    ASSERT_EQ(child.wait(), 0) << "round " << round;
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}
#endif

}  // namespace
}  // namespace holdfast
