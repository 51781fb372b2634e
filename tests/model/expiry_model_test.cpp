#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "holdfast/db/database.hpp"
#include "support/hand_clock.hpp"
#include "support/seed.hpp"

/// Random writes, deadlines, purges, savings and passings of time: an expiring table must always answer as a std::map
/// with deadlines would, in every kind of transaction and on every way to an entry.
namespace holdfast::testing {
namespace {

using std::chrono::milliseconds;

struct Entry {
  std::string value{};
  std::int64_t deadline = never;
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
};
using Model = std::map<std::string, Entry>;

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int commits = 0; commits < 12 && !::testing::Test::HasFailure(); ++commits) {
      const Model before = model_;
      const ReadTransaction pinned = db_->begin_read();
      const std::int64_t pinned_at = now_;
      pass(below(40));
      write();
      if (below(4) == 0) pass(below(2) == 0 ? -std::int64_t(below(20)) : std::int64_t(below(60)));
      db_->view([&](const ReadTransaction& txn) { compare(txn, model_, now_); });
      compare(pinned, before, pinned_at);
    }
    EXPECT_TRUE(db_->check().findings.empty()) << "the index is not that of the entries";
  }

 private:
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] std::string key() { return std::string(1, static_cast<char>('a' + below(7))); }
  void pass(std::uint64_t time) { pass(static_cast<std::int64_t>(time)); }
  void pass(std::int64_t time) {
    now_ += time;
    clock_->set(now_);
  }
  [[nodiscard]] static bool is_live(const Model& model, const std::string& key, std::int64_t now) {
    const auto at = model.find(key);
    return at != model.end() && at->second.deadline > now;
  }

  void write() {
    auto txn = db_->begin_write();
    const std::int64_t now = now_;
    Model written = model_;
    for (std::uint64_t steps = 1 + below(10); steps > 0; --steps) {
      step(txn, written, now);
      if (below(3) == 0) pass(below(10));  // which the transaction does not see
      if (below(3) == 0) compare(txn, written, now);
    }
    if (below(5) == 0) return txn.rollback();
    txn.commit();
    model_ = written;
  }

  void step(WriteTransaction& txn, Model& model, std::int64_t now) {
    const std::string k = key();
    const bool live = is_live(model, k, now);
    const auto ttl = static_cast<std::int64_t>(below(60)) - 3;
    const std::string value = std::to_string(random_() % 1000);
    switch (below(8)) {
      case 0:
        table_.put(txn, as_bytes(k), as_bytes(value));
        model[k] = {value, Entry::never};
        break;
      case 1:
      case 2:
        table_.put(txn, as_bytes(k), as_bytes(value), milliseconds(ttl));
        end_at(model, k, value, now, ttl);
        break;
      case 3:
        EXPECT_EQ(table_.erase(txn, as_bytes(k)), live) << k;
        model.erase(k);
        break;
      case 4:
        EXPECT_EQ(table_.expire(txn, as_bytes(k), milliseconds(ttl)), live) << k;
        if (live || ttl <= 0) end_at(model, k, model[k].value, now, ttl);
        break;
      case 5:
        EXPECT_EQ(table_.persist(txn, as_bytes(k)), live) << k;
        if (live) model[k].deadline = Entry::never;
        break;
      case 6:
        EXPECT_EQ(table_.insert(txn, as_bytes(k), as_bytes(value)), !live) << k;
        if (!live) model[k] = {value, Entry::never};
        break;
      default:
        if (below(6) == 0) {
          table_.clear(txn);
          model.clear();
        } else {
          const std::uint64_t limit = below(5);
          EXPECT_EQ(table_.purge_expired(txn, limit), purge(model, limit, now));
        }
    }
  }

  static void end_at(Model& model, const std::string& key, std::string value, std::int64_t now, std::int64_t ttl) {
    if (ttl > 0) {
      model[key] = {std::move(value), now + ttl};
    } else {
      model.erase(key);
    }
  }

  static std::uint64_t purge(Model& model, std::uint64_t limit, std::int64_t now) {
    std::vector<std::pair<std::int64_t, std::string>> due;
    for (const auto& [k, entry] : model)
      if (entry.deadline <= now) due.emplace_back(entry.deadline, k);
    std::sort(due.begin(), due.end());
    due.resize(std::min<std::size_t>(due.size(), limit));
    for (const auto& [deadline, k] : due) model.erase(k);
    return due.size();
  }

  void compare(const Transaction& txn, const Model& model, std::int64_t now) {
    Model live;
    for (const auto& [k, entry] : model)
      if (entry.deadline > now) live.emplace(k, entry);
    EXPECT_EQ(table_.count(txn), live.size());
    std::vector<std::string> want, forward, backward;
    for (const auto& [k, entry] : live) want.push_back(k + "=" + entry.value);
    for (const ByteEntry& entry : table_.scan(txn)) forward.push_back(to_text(entry.key) + "=" + to_text(entry.value));
    for (const ByteEntry& entry : table_.scan(txn, {}, Order::descending))
      backward.push_back(to_text(entry.key) + "=" + to_text(entry.value));
    EXPECT_EQ(forward, want);
    std::reverse(want.begin(), want.end());
    EXPECT_EQ(backward, want);
    for (char letter = 'a'; letter <= 'g'; ++letter) {
      const std::string k(1, letter);
      const auto at = live.find(k);
      const auto value = table_.get(txn, as_bytes(k));
      ASSERT_EQ(value.has_value(), at != live.end()) << k;
      const auto left = table_.ttl(txn, as_bytes(k));
      ASSERT_EQ(left.has_value(), at != live.end()) << k;
      if (at == live.end()) continue;
      EXPECT_EQ(to_text(*value), at->second.value);
      EXPECT_EQ(left->count(), at->second.deadline == Entry::never ? Entry::never : at->second.deadline - now);
    }
  }

  std::mt19937_64 random_;
  std::shared_ptr<HandClock> clock_ = std::make_shared<HandClock>();
  std::int64_t now_ = 1'000'000;
  std::shared_ptr<Database> db_ = (clock_->set(now_), Database::open_in_memory({.clock = clock_}));
  ByteTable table_ = db_->table("sessions", {.expiry = Expiry::per_entry});
  Model model_;
};

TEST(ExpiryModel, ATableWithDeadlinesAnswersAsAMapWithDeadlines) {
  std::mt19937_64 seeds(test_seed());
  for (int history = 0; history < 300 && !HasFailure(); ++history) History(seeds()).run();
}

}  // namespace
}  // namespace holdfast::testing
