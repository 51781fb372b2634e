#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include "holdfast/core/error.hpp"
#include "holdfast/db/database.hpp"
#include "support/hand_clock.hpp"
#include "support/seed.hpp"

/// Random writes, times to live, clears, savepoints, spills and rollbacks: who follows the feed has what the tables
/// have, and is told of each key what was done to it.
namespace holdfast::testing {
namespace {

using std::chrono::milliseconds;

struct Known {
  std::string value{};
  std::int64_t deadline = 0;  ///< at which the follower believes it due; max for ever
};

/// Keeps copies of tables by the feed alone, but for the values, which it reads where a change says that there is one.
class Follower {
 public:
  enum class Pace { every_commit, when_it_likes };
  explicit Follower(Pace pace) : pace_(pace) {}

  void follow(const Database& db, std::int64_t now) {
    db.view([&](const ReadTransaction& txn) {
      for (const FeedChange& change : db.changes(txn, position_)) {
        EXPECT_EQ(change.sequence, position_ + 1);
        EXPECT_TRUE(change.commit == change.sequence || change.commit == commit_);
        commits_ += change.commit == change.sequence ? 1 : 0;
        commit_ = change.commit;
        position_ = change.sequence;
        take(db, txn, change, now);
      }
      EXPECT_EQ(position_, db.feed(txn).last);
    });
  }
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }

  /// The entries that are not due.
  void expect_same(const Database& db, const std::string& table, std::int64_t now) {
    std::map<std::string, std::string> stored, followed;
    db.view([&](const ReadTransaction& txn) {
      for (const ByteEntry& entry : db.table(table).scan(txn)) stored[to_text(entry.key)] = to_text(entry.value);
    });
    for (const auto& [key, known] : tables_[table])
      if (known.deadline > now) followed[key] = known.value;
    EXPECT_EQ(followed, stored) << table;
  }

 private:
  void take(const Database& db, const ReadTransaction& txn, const FeedChange& change, std::int64_t now) {
    auto& rows = tables_[change.table];
    const std::string key = to_text(change.key);
    const auto known = rows.find(key);
    const bool strict = pace_ == Pace::every_commit;
    switch (change.kind) {
      case ChangeKind::clear:
        EXPECT_FALSE(strict && rows.empty()) << "what is empty was not cleared";
        rows.clear();
        break;
      case ChangeKind::erase:
      case ChangeKind::expired:
        EXPECT_TRUE(!strict || known != rows.end()) << key;
        if (strict && known != rows.end()) {
          EXPECT_EQ(change.kind == ChangeKind::expired, known->second.deadline <= now) << key;
        }
        rows.erase(key);
        break;
      default: {
        const ByteTable table = db.table(change.table);
        const auto value = table.get(txn, change.key);
        if (!value) {  // gone or due since
          EXPECT_FALSE(strict) << key;
          rows.erase(key);
          break;
        }
        const bool expires = change.table == "sessions";
        const auto left = expires ? table.ttl(txn, change.key) : milliseconds::max();
        const bool for_ever = left == milliseconds::max();
        if (strict && change.kind != ChangeKind::put) {
          EXPECT_EQ(change.kind == ChangeKind::persist, for_ever) << key;
          EXPECT_EQ(known->second.value, to_text(*value)) << key << " kept its value";
        }
        rows[key] = {to_text(*value), for_ever ? milliseconds::max().count() : now + left->count()};
      }
    }
  }

  Pace pace_;
  std::uint64_t position_ = 0, commit_ = 0, commits_ = 0;
  std::map<std::string, std::map<std::string, Known>> tables_;
};

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {
    DatabaseOptions options{.clock = clock_};
    if (below(2) == 0) {  // then a write transaction may spill, and tells a key again
      options.write_set_bytes = 600;
      eager_ = Follower(Follower::Pace::when_it_likes);
    }
    db_ = Database::open_in_memory(options);
    plain_.emplace(db_->table("plain"));
    parts_.emplace(db_->table("parts", {.feed = Feed::on}));
    sessions_.emplace(db_->table("sessions", {.expiry = Expiry::per_entry, .feed = Feed::on}));
  }

  void run() {
    std::uint64_t told = 0;
    for (int commits = 0; commits < 15 && !::testing::Test::HasFailure(); ++commits) {
      clock_->set(now_ += static_cast<std::int64_t>(below(30)));
      const bool committed = write();
      const std::uint64_t before = told;
      eager_.follow(*db_, now_);
      told = eager_.commits();
      EXPECT_LE(told - before, committed ? 1U : 0U) << "a commit is told as one, what is rolled back not at all";
      for (const char* table : {"parts", "sessions"}) eager_.expect_same(*db_, table, now_);
      if (below(4) == 0) lazy_.follow(*db_, now_);
    }
    lazy_.follow(*db_, now_);
    for (const char* table : {"parts", "sessions"}) lazy_.expect_same(*db_, table, now_);
    EXPECT_EQ(lazy_.commits(), eager_.commits());
    EXPECT_TRUE(db_->check().findings.empty());
  }

 private:
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  bool write() {
    auto txn = db_->begin_write();
    for (std::uint64_t steps = 1 + below(12); steps > 0; --steps) {
      if (below(6) > 0) {
        step(txn);
        continue;
      }
      try {
        txn.savepoint([&] {
          for (std::uint64_t inner = below(4); inner > 0; --inner) step(txn);
          if (below(2) == 0) throw std::runtime_error("taken back");
        });
      } catch (const LimitError&) {  // too much for a savepoint: taken back, too
      } catch (const std::runtime_error& error) {
        if (error.what() != std::string("taken back")) throw;
      }
    }
    if (below(5) == 0) {
      txn.rollback();
      return false;
    }
    txn.commit();
    return true;
  }

  void step(WriteTransaction& txn) {
    const std::string key(1, static_cast<char>('a' + below(6)));
    const ByteTable& table = below(5) == 0 ? *plain_ : below(2) == 0 ? *parts_ : *sessions_;
    const std::string value = std::to_string(below(1'000'000));
    const milliseconds ttl(static_cast<std::int64_t>(below(50)));
    switch (below(8)) {
      case 0:
      case 1:
      case 2: table.put(txn, as_bytes(key), as_bytes(value)); break;
      case 3: table.erase(txn, as_bytes(key)); break;
      case 4: sessions_->put(txn, as_bytes(key), as_bytes(value), ttl); break;
      case 5: sessions_->expire(txn, as_bytes(key), ttl); break;
      case 6: sessions_->persist(txn, as_bytes(key)); break;
      default:
        if (below(4) == 0) {
          table.clear(txn);
        } else {
          sessions_->purge_expired(txn, below(4));
        }
    }
  }

  std::mt19937_64 random_;
  std::int64_t now_ = 1'000'000;
  std::shared_ptr<HandClock> clock_ = std::make_shared<HandClock>();
  std::shared_ptr<Database> db_;
  std::optional<ByteTable> plain_, parts_, sessions_;
  Follower eager_{Follower::Pace::every_commit}, lazy_{Follower::Pace::when_it_likes};
};

TEST(FeedModel, WhoFollowsTheFeedHasWhatTheTablesHave) {
  std::mt19937_64 seeds(test_seed());
  for (int history = 0; history < 300 && !HasFailure(); ++history) History(seeds()).run();
}

}  // namespace
}  // namespace holdfast::testing
