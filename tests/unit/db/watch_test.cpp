#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "feed_fixture.hpp"
#include "holdfast/db/kv_store.hpp"
#include "support/child_process.hpp"

namespace holdfast::testing {
namespace {

class WatchTest : public FeedTest {
 protected:
  [[nodiscard]] Watch watching(std::string_view prefix = "", std::optional<std::uint64_t> since = {}) {
    return db->watch(
        parts, prefix, [this](const FeedChange& change) { heard.push_back(text(change)); }, since);
  }

  /// Numbers below 100, in the order of their text.
  [[nodiscard]] static std::string digits(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

  Told heard;
};

TEST_F(WatchTest, IsToldTheChangesOfItsPrefixAfterTheirCommit) {
  put("a1");
  const Watch watch = watching("a");
  db->update([&](WriteTransaction& txn) {
    for (const char* key : {"b1", "a2", "a3"}) parts.put(txn, as_bytes(key), {});
    EXPECT_TRUE(parts.erase(txn, as_bytes("a1")));
    fed(*db, "others").put(txn, as_bytes("a"), {});
    EXPECT_EQ(heard, Told{}) << "not before the commit";
  });
  EXPECT_EQ(heard, (Told{"erase parts/a1", "put parts/a2", "put parts/a3"}));
  EXPECT_EQ(watch.position(), extent().last);
  db->update([&](WriteTransaction& txn) { parts.clear(txn); });
  EXPECT_EQ(heard.back(), "clear parts");
}

TEST_F(WatchTest, IsToldNothingOfWhatIsRolledBackNorAfterItsEnd) {
  std::optional<Watch> watch = watching();
  db->begin_write().rollback();
  EXPECT_THROW(db->update([&](WriteTransaction& txn) {
    parts.put(txn, as_bytes("a"), {});
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  put("a");
  EXPECT_EQ(heard, Told{"put parts/a"});
  watch.reset();
  put("b");
  EXPECT_EQ(heard, Told{"put parts/a"});
}

TEST_F(WatchTest, GoesOnWhereAnotherStopped) {
  put("a");
  std::uint64_t position = 0;
  {
    const Watch first = watching();
    put("b");
    position = first.position();
  }
  put("c");
  Watch second = watching("", position);
  second.deliver();
  EXPECT_EQ(heard, (Told{"put parts/b", "put parts/c"}));
  EXPECT_EQ(refused_with([&] { static_cast<void>(watching("", 99)); }), State::foreign);
}

TEST_F(WatchTest, MayWriteAndIsToldOfThatAfterwards) {
  const Watch watch = db->watch(parts, "", [&](const FeedChange& change) {
    const std::string key = to_text(change.key);
    heard.push_back("begin " + key);
    if (key.size() < 3) put(key + "a");
    heard.push_back("end " + key);
  });
  put("a");
  EXPECT_EQ(heard, (Told{"begin a", "end a", "begin aa", "end aa", "begin aaa", "end aaa"}));
}

TEST_F(WatchTest, MayEndItself) {
  std::optional<Watch> watch;
  watch.emplace(db->watch(parts, "", [&](const FeedChange& change) {
    heard.push_back(text(change));
    watch.reset();
  }));
  db->update([&](WriteTransaction& txn) {
    for (const char* key : {"a", "b"}) parts.put(txn, as_bytes(key), {});
  });
  put("c");
  EXPECT_EQ(heard, Told{"put parts/a"});
}

TEST_F(WatchTest, EndsByWhatItsFunctionThrowsAndCommitsGoOn) {
  const Watch watch = db->watch(parts, "", [&](const FeedChange& change) {
    heard.push_back(text(change));
    if (heard.size() == 2) throw std::runtime_error("enough");
  });
  for (const char* key : {"a", "b", "c"}) put(key);
  EXPECT_EQ(heard, (Told{"put parts/a", "put parts/b"}));
  EXPECT_EQ(watch.position(), 1U) << "the second was not handled";
  ASSERT_TRUE(watch.failure());
  EXPECT_THROW(std::rethrow_exception(watch.failure()), std::runtime_error);
}

TEST_F(WatchTest, EndsWhenChangesWerePrunedBeforeTheyWereTold) {
  DatabaseOptions short_feed = clocked();
  short_feed.feed_retention = {.max_changes = 1};
  reopen(short_feed);
  put("0");
  std::optional<Watch> watch;
  watch.emplace(db->watch(parts, "", [&](const FeedChange& change) {
    heard.push_back(text(change));
    if (heard.size() > 1) return;
    for (const char* key : {"b", "c", "d"}) put(key);  // told when this has returned
  }));
  put("a");
  EXPECT_EQ(heard, Told{"put parts/a"});
  ASSERT_TRUE(watch->failure());
  EXPECT_THROW(std::rethrow_exception(watch->failure()), RestoreError);
}

TEST_F(WatchTest, IsToldOfATableThatComesAndGoes) {
  const Watch watch = watching("a");
  put("a");
  db->update([&](WriteTransaction& txn) { EXPECT_TRUE(db->drop_table(txn, "parts")); });
  put("a again");
  EXPECT_EQ(heard, (Told{"put parts/a", "clear ", "put parts/a again"}));
}

TEST_F(WatchTest, OfATableWithoutAFeedIsRefused) {
  DbTest::put(*db, "plain", "a", "1");
  const auto use = [](const FeedChange&) {};
  EXPECT_THROW(static_cast<void>(db->watch(db->table("plain"), "", use)), UnsupportedError);
  EXPECT_THROW(static_cast<void>(db->watch(db->table("absent"), "", use)), UnsupportedError);
  EXPECT_THROW(static_cast<void>(db->watch(parts, "", nullptr)), OptionError);
  const auto other = Database::open_in_memory();
  EXPECT_EQ(refused_with([&] { static_cast<void>(other->watch(parts, "", use)); }), State::foreign);
}

TEST_F(WatchTest, IsToldEachChangeOnceInOrderWhileManyThreadsCommit) {
  constexpr int threads = 4;
  constexpr int each = 30;
  std::atomic<int> inside{0};
  std::vector<std::uint64_t> sequences;
  Watch watch = db->watch(parts, "", [&](const FeedChange& change) {
    EXPECT_EQ(++inside, 1) << "never two at a time";
    sequences.push_back(change.sequence);
    --inside;
  });
  std::vector<std::thread> writers;
  for (int writer = 0; writer < threads; ++writer)
    writers.emplace_back([&, writer] {
      for (int i = 0; i < each; ++i)
        db->update([&](WriteTransaction& txn) { parts.put(txn, as_bytes(std::to_string(writer)), {}); },
                   {.durability = Durability::ordered});
    });
  for (auto& writer : writers) writer.join();
  ASSERT_EQ(sequences.size(), std::size_t{threads} * each);
  for (std::size_t i = 0; i < sequences.size(); ++i) EXPECT_EQ(sequences[i], i + 1);
}

TEST_F(WatchTest, EndWaitsForTheFunctionOnAnotherThread) {
  std::atomic<bool> running{false}, may_return{false}, returned{false}, ended{false};
  std::optional<Watch> watch;
  watch.emplace(db->watch(parts, "", [&](const FeedChange&) {
    running = true;
    while (!may_return) std::this_thread::yield();
    returned = true;
  }));
  std::thread writer([&] { put("a"); });
  while (!running) std::this_thread::yield();
  std::thread ender([&] {
    watch.reset();
    EXPECT_TRUE(returned);
    ended = true;
  });
  put("b");  // whoever commits meanwhile does not wait
  EXPECT_FALSE(ended);
  may_return = true;
  ender.join();
  writer.join();
}

TEST_F(WatchTest, IsToldOfOtherProcessesCommitsWhenItAsksAndWithTheNextCommit) {
  db.reset();
  ChildProcess other([&](const ChildProcess::Voice& voice) {
    const auto theirs = Database::open(clocked());
    voice.tell(0);
    for (const char* key : {"b", "c"}) {
      ::usleep(1000);
      while (fed(*theirs, "parts").count(theirs->begin_read()) == 0) ::usleep(1000);
      theirs->update([&](WriteTransaction& txn) { fed(*theirs, "parts").put(txn, as_bytes(key), {}); });
      voice.tell(1);
    }
  });
  EXPECT_EQ(other.hear(), 0U);
  reopen(clocked());
  Watch watch = watching();
  put("a");
  EXPECT_EQ(other.hear(), 1U);
  EXPECT_EQ(other.hear(), 1U);
  EXPECT_EQ(heard, Told{"put parts/a"});
  watch.deliver();
  EXPECT_EQ(heard, (Told{"put parts/a", "put parts/b", "put parts/c"}));
  EXPECT_EQ(other.wait(), 0);
}

TEST_F(WatchTest, OfAParentIsLeftAloneInAChild) {
  Watch watch = watching();
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    const auto refused = refused_with([&] { watch.deliver(); });
    watch.end();
    voice.tell(refused == State::forked ? 1 : 0);
  });
  EXPECT_EQ(child.hear(), 1U);
  EXPECT_EQ(child.wait(), 0);
  put("a");
  EXPECT_EQ(heard, Told{"put parts/a"});
}

TEST_F(WatchTest, HearsOfEveryCallOfAKvStoreOnceThoughTheySharedCommits) {
  constexpr int each = 20;
  Watch watch = watching();
  KvStore store(db, "parts", {.feed = Feed::on});
  std::vector<std::future<void>> given;
  given.reserve(each);
  for (int i = 0; i < each; ++i) given.push_back(store.write_async(WriteBatch().put("async/" + digits(i), {})));
  std::vector<std::thread> callers;
  for (const std::string caller : {"a/", "b/", "c/"})
    callers.emplace_back([&store, caller] {
      for (int i = 0; i < each; ++i) store.put(caller + digits(i), {});
    });
  for (std::thread& caller : callers) caller.join();
  for (auto& done : given) done.get();

  for (const std::string caller : {"async/", "a/", "b/", "c/"}) {
    Told own, expected;
    for (int i = 0; i < each; ++i) expected.push_back("put parts/" + caller + digits(i));
    for (const std::string& change : told())
      if (change.starts_with("put parts/" + caller)) own.push_back(change);
    EXPECT_EQ(own, expected) << "what one caller did, in its order";
  }
  watch.deliver();
  EXPECT_EQ(heard, told());
  EXPECT_EQ(told().size(), 4U * each);
}

}  // namespace
}  // namespace holdfast::testing
