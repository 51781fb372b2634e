#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/codec/raw.hpp"
#include "holdfast/tier/append_log.hpp"
#include "holdfast/tier/commit_group.hpp"
#include "holdfast/tier/kv.hpp"
#include "holdfast/tier/snapshot.hpp"
#include "support/backend_stores.hpp"
#include "support/faulty_backend.hpp"
#include "support/seed.hpp"

/// Random work on a group of three tiers, with flushes that fail before or after they took effect, a second writer of
/// the log, rollbacks, updates that throw, and restarts: what is stored must always be what a simple model says.
namespace holdfast::testing {
namespace {

enum class Kind { save, erase, set, append, truncate, flush, rollback, update, other_writer, restart };
enum class Fate { succeeds, fails_before, fails_after };

/// One step. Each kind uses the fields it needs.
struct Operation {
  Kind kind = Kind::save;
  int key = 0;
  int value = 0;
  Fate fate = Fate::succeeds;  ///< of flush and update
  bool throws = false;         ///< of update: its function does
};

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  static constexpr const char* names[] = {"save",  "erase",    "set",    "append",       "truncate",
                                          "flush", "rollback", "update", "other_writer", "restart"};
  static constexpr const char* fates[] = {"", " fails before", " fails after"};
  return out << names[static_cast<std::size_t>(operation.kind)] << '(' << operation.key << ',' << operation.value << ')'
             << fates[static_cast<std::size_t>(operation.fate)] << (operation.throws ? " throws" : "");
}

rc::Gen<Operation> any_operation() {
  const auto kind = rc::gen::weightedElement<Kind>({{5, Kind::save},
                                                    {3, Kind::erase},
                                                    {3, Kind::set},
                                                    {5, Kind::append},
                                                    {1, Kind::truncate},
                                                    {6, Kind::flush},
                                                    {1, Kind::rollback},
                                                    {3, Kind::update},
                                                    {2, Kind::other_writer},
                                                    {1, Kind::restart}});
  const auto fate =
      rc::gen::weightedElement<Fate>({{3, Fate::succeeds}, {1, Fate::fails_before}, {1, Fate::fails_after}});
  return rc::gen::build<Operation>(
      rc::gen::set(&Operation::kind, kind), rc::gen::set(&Operation::key, rc::gen::inRange(0, 4)),
      rc::gen::set(&Operation::value, rc::gen::inRange(0, 100)), rc::gen::set(&Operation::fate, fate),
      rc::gen::set(&Operation::throws, rc::gen::weightedElement<bool>({{2, false}, {1, true}})));
}

/// What waits in the model: the same writes, in the simplest containers.
struct Waiting {
  std::map<int, std::optional<int>> writes{};
  std::optional<int> set{};
  std::vector<int> appends{};
  std::uint64_t truncate_before = 0;

  void add(Waiting newer) {
    for (const auto& [key, value] : newer.writes) writes[key] = value;
    if (newer.set) set = newer.set;
    appends.insert(appends.end(), newer.appends.begin(), newer.appends.end());
    truncate_before = std::max(truncate_before, newer.truncate_before);
  }
};

/// What is stored in the model.
struct Stored {
  std::map<int, int> values{};
  std::optional<int> set{};
  std::map<std::uint64_t, int> log{};
  std::uint64_t head = 0;

  void append(int value) { log[++head] = value; }
  void take(const Waiting& waiting) {
    for (const auto& [key, value] : waiting.writes) {
      if (value) {
        values[key] = *value;
      } else {
        values.erase(key);
      }
    }
    if (waiting.set) set = waiting.set;
    log.erase(log.begin(), log.lower_bound(waiting.truncate_before));
    for (const int value : waiting.appends) append(value);
  }
  /// Whether a flush of `waiting` has anything to write.
  [[nodiscard]] bool changes_by(const Waiting& waiting) const {
    return !waiting.writes.empty() || waiting.set || !waiting.appends.empty() ||
           log.begin() != log.lower_bound(waiting.truncate_before);
  }
};

using IntCodec = RawCodec<std::int32_t>;

struct Tiers {
  explicit Tiers(const std::shared_ptr<StorageBackend>& backend)
      : group(backend),
        kv(group, {.prefix = "kv/", .debounce = true}),
        snapshot(group, {.debounce = true}),
        log(group, {.debounce = true, .key_of = [](int value) { return std::to_string(value % 3); }}) {}

  CommitGroup group;
  KvTier<std::int32_t, IntCodec> kv;
  SnapshotTier<std::int32_t, IntCodec> snapshot;
  AppendLogTier<std::int32_t, IntCodec> log;
};

class Comparison {
 public:
  explicit Comparison(StoreUnderTest store) : store_(std::move(store)) { open(); }

  void step(const Operation& operation) {
    switch (operation.kind) {
      case Kind::save:
      case Kind::erase:
      case Kind::set:
      case Kind::append: waiting_.add(write(operation)); break;
      case Kind::truncate: truncate(operation); break;
      case Kind::flush: flush(operation.fate, [this] { tiers_->group.flush(); }); break;
      case Kind::rollback: rollback(); break;
      case Kind::update: update(operation); break;
      case Kind::other_writer: other_writer(operation); break;
      case Kind::restart: restart(); break;
    }
    check();
  }

 private:
  void open() {
    backend_ = std::make_shared<FaultyBackend>(store_.open());
    tiers_ = std::make_unique<Tiers>(backend_);
  }

  /// Does it to the tiers and says what it was.
  Waiting write(const Operation& operation) {
    Waiting waiting;
    const std::string key = std::to_string(operation.key);
    if (operation.kind == Kind::save) {
      tiers_->kv.save(key, operation.value);
      waiting.writes[operation.key] = operation.value;
    } else if (operation.kind == Kind::erase) {
      RC_ASSERT(tiers_->kv.erase(key) == stored_.values.contains(operation.key));
      waiting.writes[operation.key] = std::nullopt;
    } else if (operation.kind == Kind::set) {
      tiers_->snapshot.save(operation.value);
      waiting.set = operation.value;
    } else {
      waiting.appends.assign(static_cast<std::size_t>(operation.key), operation.value);
      RC_ASSERT(tiers_->log.append(std::span<const std::int32_t>(waiting.appends)) == waiting.appends.size());
    }
    return waiting;
  }

  void truncate(const Operation& operation) {
    const auto sequence = static_cast<std::uint64_t>(operation.value) / 4;
    tiers_->log.truncate_before(sequence);
    waiting_.add({.truncate_before = std::min(sequence, stored_.head + 1)});
  }

  /// `work` flushes what waits, and more perhaps; afterwards all of it is stored, or nothing.
  template <class Work>
  void flush(Fate fate, Work work) {
    if (fate == Fate::fails_before) backend_->fail_every(FaultyBackend::Operation::apply);
    if (fate == Fate::fails_after) {
      backend_->fail_every(FaultyBackend::Operation::apply, FaultyBackend::Moment::after);
    }
    bool failed = false;
    try {
      work();
    } catch (const IoError&) {
      failed = true;
    }
    backend_->heal();
    RC_ASSERT(!failed || fate != Fate::succeeds);
    if (fate != Fate::succeeds && stored_.changes_by(waiting_)) RC_ASSERT(failed);
    if (failed && fate == Fate::fails_before) return;
    stored_.take(waiting_);
    waiting_ = {};
    unacknowledged_ = failed;
  }

  void rollback() {
    tiers_->group.rollback();
    waiting_ = {};
    unacknowledged_ = false;
  }

  void update(const Operation& operation) {
    Waiting inside;
    const auto work = [&] {
      for (const Kind kind : {Kind::save, Kind::append, Kind::set}) {
        inside.add(write({.kind = kind, .key = operation.key, .value = operation.value}));
      }
      if (operation.throws) throw std::out_of_range("the model's");
    };
    if (operation.throws) {
      RC_ASSERT_THROWS_AS(tiers_->group.update(work), std::out_of_range);
      return;
    }
    flush(operation.fate, [&] {
      // From its function's return on, what it did waits like the rest.
      try {
        tiers_->group.update(work);
      } catch (const IoError&) {
        waiting_.add(std::move(inside));
        throw;
      }
      waiting_.add(std::move(inside));
    });
  }

  /// Not between a lost acknowledgement and the next flush: once another writer has moved the head on, nothing tells
  /// that the entries are stored.
  void other_writer(const Operation& operation) {
    if (unacknowledged_) return;
    AppendLogTier<std::int32_t, IntCodec>(backend_).append(operation.value);
    stored_.append(operation.value);
  }

  void restart() {
    tiers_.reset();
    waiting_ = {};
    unacknowledged_ = false;
    if (!backend_->capabilities().persistent) {
      tiers_ = std::make_unique<Tiers>(backend_);
      return;
    }
    backend_.reset();
    open();
  }

  void check() const {
    for (int key = 0; key < 4; ++key) {
      const auto found = stored_.values.find(key);
      const auto value = tiers_->kv.load(std::to_string(key));
      RC_ASSERT(value.has_value() == (found != stored_.values.end()));
      if (value) RC_ASSERT(*value == found->second);
    }
    RC_ASSERT(tiers_->snapshot.load() == stored_.set);
    RC_ASSERT(tiers_->log.last_sequence() == stored_.head);
    std::map<std::uint64_t, int> log;
    auto entries = tiers_->log.scan();
    for (const auto& entry : entries) log[entry.sequence] = entry.value;
    RC_ASSERT(log == stored_.log);
  }

  StoreUnderTest store_;
  std::shared_ptr<FaultyBackend> backend_;
  std::unique_ptr<Tiers> tiers_;
  Waiting waiting_;
  Stored stored_;
  bool unacknowledged_ = false;
};

class TierModel : public ::testing::TestWithParam<BackendFactory> {
 protected:
  /// RapidCheck reads its parameters from the environment, once.
  static void SetUpTestSuite() {
    const std::string parameters = "seed=" + std::to_string(test_seed()) + " max_success=60 max_size=50";
    ::setenv("RC_PARAMS", parameters.c_str(), 1);
  }
};

TEST_P(TierModel, StoresWhatASimpleModelStoresWhateverFails) {
  const auto agrees = [] {
    const auto operations = *rc::gen::container<std::vector<Operation>>(any_operation());
    Comparison comparison(GetParam().make());
    for (const Operation& operation : operations) comparison.step(operation);
  };
  EXPECT_TRUE(rc::check("agrees with the model", agrees));
}

INSTANTIATE_TEST_SUITE_P(Memory, TierModel, ::testing::Values(BackendFactory{"plain", [] { return memory_store(); }}),
                         factory_name);
INSTANTIATE_TEST_SUITE_P(Files, TierModel,
                         ::testing::Values(BackendFactory{"plain", [] { return file_store(Durability::unsynced); }}),
                         factory_name);
#ifdef HOLDFAST_WITH_LMDB
INSTANTIATE_TEST_SUITE_P(Lmdb, TierModel,
                         ::testing::Values(BackendFactory{"plain", [] { return lmdb_store(Durability::unsynced); }}),
                         factory_name);
#endif

}  // namespace
}  // namespace holdfast::testing
