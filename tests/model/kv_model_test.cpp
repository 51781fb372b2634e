#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/core/error.hpp"
#include "holdfast/db/kv_store.hpp"
#include "support/hand_clock.hpp"
#include "support/seed.hpp"

/// Random calls of a KvStore, with times to live, passings of time and batches in flight: it must always answer as a
/// std::map with deadlines would.
namespace holdfast::testing {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

struct Held {
  std::string value{};
  std::int64_t deadline = never;
};

/// What the store should hold, at a time.
struct Model {
  std::map<std::string, Held> entries{};
  std::int64_t now = 1'000'000;

  [[nodiscard]] std::optional<std::string> get(const std::string& key) const {
    const auto at = entries.find(key);
    return at != entries.end() && at->second.deadline > now ? std::optional(at->second.value) : std::nullopt;
  }
  void put(const std::string& key, const std::string& value, TimeToLive ttl) {
    if (ttl.has_ended()) {
      entries.erase(key);
    } else {
      entries[key] = {value, ttl.is_forever() ? never : now + ttl.milliseconds().count()};
    }
  }
  [[nodiscard]] bool holds(const WriteBatch& batch) const {
    return std::ranges::all_of(batch.preconditions(), [&](const auto& required) {
      return get(required.key) == (required.value ? std::optional(to_text(*required.value)) : std::nullopt);
    });
  }
  /// Whether it was written.
  bool write(const WriteBatch& batch, TimeToLive ttl) {
    if (!holds(batch)) return false;
    for (const auto& write : batch.writes()) {
      if (write.value) {
        put(write.key, to_text(*write.value), ttl);
      } else {
        entries.erase(write.key);
      }
    }
    return true;
  }
  std::uint64_t purge(std::uint64_t limit) {
    std::vector<std::pair<std::int64_t, std::string>> due;
    for (const auto& [key, held] : entries)
      if (held.deadline <= now) due.emplace_back(held.deadline, key);
    std::sort(due.begin(), due.end());
    due.resize(std::min<std::size_t>(due.size(), limit));
    for (const auto& [deadline, key] : due) entries.erase(key);
    return due.size();
  }
  [[nodiscard]] std::vector<std::string> lines(const std::string& prefix) const {
    std::vector<std::string> all;
    for (const auto& [key, held] : entries)
      if (held.deadline > now && key.starts_with(prefix)) all.push_back(key + "=" + held.value);
    return all;
  }
};

template <class Range>
std::vector<std::string> lines_of(Range range) {
  std::vector<std::string> all;
  for (const ByteEntry& entry : range) all.push_back(to_text(entry.key) + "=" + to_text(entry.value));
  return all;
}

std::optional<std::string> text(const std::optional<Bytes>& value) {
  return value ? std::optional(to_text(*value)) : std::nullopt;
}

std::optional<ByteView> bytes(const std::optional<std::string>& value) {
  return value ? std::optional(as_bytes(*value)) : std::nullopt;
}

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int round = 0; round < 10 && !::testing::Test::HasFailure(); ++round) {
      const Model before = model_;
      const KvSnapshot pinned = store_.snapshot();
      for (std::uint64_t steps = below(8); steps > 0; --steps) step();
      compare(pinned, before);
      compare(store_.snapshot(), model_);
      compare_calls();
    }
    EXPECT_TRUE(store_.database()->check().findings.empty());
  }

 private:
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] std::string key() { return std::string(1 + below(2), static_cast<char>('a' + below(4))); }
  [[nodiscard]] std::string value() { return below(6) == 0 ? "" : std::to_string(below(5)); }
  [[nodiscard]] TimeToLive ttl() {
    if (below(2) == 0) return TimeToLive::forever();
    return milliseconds(static_cast<std::int64_t>(below(60)) - 3);
  }
  /// What is there, or something that need not be.
  [[nodiscard]] std::optional<std::string> guess(const std::string& k) {
    if (below(2) == 0) return model_.get(k);
    return below(2) == 0 ? std::optional(value()) : std::nullopt;
  }
  [[nodiscard]] WriteBatch batch() {
    WriteBatch made;
    for (std::uint64_t writes = below(4); writes > 0; --writes) {
      if (below(3) == 0) {
        made.erase(key());
      } else {
        made.put(key(), as_bytes(value()));
      }
    }
    if (below(3) != 0) return made;
    const std::string k = key();
    if (const auto expected = guess(k)) return std::move(made.require_value(k, as_bytes(*expected)));
    return std::move(made.require_absent(k));
  }

  void step() {
    const std::string k = key();
    const std::string v = value();
    const TimeToLive life = ttl();
    const auto before = model_.get(k);
    switch (below(11)) {
      case 0: store_.put(k, as_bytes(v), life); return model_.put(k, v, life);
      case 1: EXPECT_EQ(text(store_.put_returning(k, as_bytes(v), life)), before) << k; return model_.put(k, v, life);
      case 2:
        EXPECT_EQ(store_.erase(k), before.has_value()) << k;
        model_.entries.erase(k);
        return;
      case 3: return swap(k, life);
      case 4: return merge(k, v);
      case 5:
        EXPECT_EQ(store_.expire(k, life), before.has_value()) << k;
        if (before || life.has_ended()) model_.put(k, before.value_or(""), life);
        return;
      case 6:
        EXPECT_EQ(store_.persist(k), before.has_value()) << k;
        if (before) model_.put(k, *before, TimeToLive::forever());
        return;
      case 7: {
        const std::uint64_t limit = below(4);
        EXPECT_EQ(store_.purge_expired(limit), model_.purge(limit));
        return;
      }
      case 8: return write(life);
      case 9: return write_async();
      default: model_.now += static_cast<std::int64_t>(below(50)) - 5; clock_->set(model_.now);
    }
  }

  void swap(const std::string& k, TimeToLive life) {
    const auto expected = guess(k);
    const auto desired = below(3) == 0 ? std::nullopt : std::optional(value());
    const bool swaps = model_.get(k) == expected;
    EXPECT_EQ(store_.compare_and_swap(k, bytes(expected), bytes(desired), life), swaps) << k;
    if (!swaps) return;
    if (desired) return model_.put(k, *desired, life);
    model_.entries.erase(k);
  }

  void merge(const std::string& k, const std::string& v) {
    const auto before = model_.get(k);
    const auto after = below(4) == 0 ? std::nullopt : std::optional(before.value_or("") + v);
    const auto put = store_.merge(k, [&](std::optional<ByteView> old) {
      EXPECT_EQ(old ? std::optional(to_text(*old)) : std::nullopt, before) << k;
      return after ? std::optional(to_bytes(*after)) : std::nullopt;
    });
    EXPECT_EQ(text(put), after);
    if (after) return model_.put(k, *after, TimeToLive::forever());
    model_.entries.erase(k);
  }

  void write(TimeToLive life) {
    const WriteBatch given = batch();
    bool written = true;
    try {
      store_.write(given, life);
    } catch (const ConflictError&) {
      written = false;
    }
    EXPECT_EQ(written, model_.write(given, life));
  }

  void write_async() {
    std::vector<std::pair<std::future<void>, bool>> in_flight;
    for (std::uint64_t batches = 1 + below(6); batches > 0; --batches) {
      const WriteBatch given = batch();
      const TimeToLive life = ttl();
      auto done = store_.write_async(given, life);
      in_flight.emplace_back(std::move(done), model_.write(given, life));
    }
    for (auto& [done, written] : in_flight) {
      bool passed = true;
      try {
        done.get();
      } catch (const ConflictError&) {
        passed = false;
      }
      EXPECT_EQ(passed, written);
    }
  }

  static void compare(const KvSnapshot& snapshot, const Model& model) {
    const auto want = model.lines("");
    EXPECT_EQ(lines_of(snapshot.range()), want);
    EXPECT_EQ(snapshot.count(), want.size());
  }

  void compare_calls() {
    EXPECT_EQ(store_.count(), model_.lines("").size());
    auto backward = model_.lines("b");
    std::reverse(backward.begin(), backward.end());
    EXPECT_EQ(lines_of(store_.prefix("b", Order::descending)), backward);
    for (char letter = 'a'; letter <= 'd'; ++letter) {
      for (std::size_t length = 1; length <= 2; ++length) {
        const std::string k(length, letter);
        const auto want = model_.get(k);
        EXPECT_EQ(text(store_.get(k)), want) << k;
        EXPECT_EQ(store_.contains(k), want.has_value()) << k;
        const auto left = store_.ttl(k);
        ASSERT_EQ(left.has_value(), want.has_value()) << k;
        if (!want) continue;
        const std::int64_t deadline = model_.entries.at(k).deadline;
        EXPECT_EQ(left->count(), deadline == never ? never : deadline - model_.now) << k;
      }
    }
  }

  std::mt19937_64 random_;
  Model model_{};
  std::shared_ptr<HandClock> clock_ = std::make_shared<HandClock>();
  KvStore store_{
      (clock_->set(model_.now), Database::open_in_memory({.clock = clock_})), "kv", {.expiry = Expiry::per_entry}};
};

TEST(KvModel, AKvStoreAnswersAsAMapWithDeadlines) {
  std::mt19937_64 seeds(test_seed());
  for (int history = 0; history < 300 && !HasFailure(); ++history) History(seeds()).run();
}

}  // namespace
}  // namespace holdfast::testing
