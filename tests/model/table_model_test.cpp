#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/core/error.hpp"
#include "holdfast/db/typed_table.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

/// Random transactions with savepoints, spilling, erasing under iteration, snapshots: a table must always answer as a
/// std::map would.
namespace holdfast::testing {
namespace {

using Model = std::map<std::string, std::string>;

enum class Kind {
  put,
  insert,
  erase,
  erase_range,
  clear,
  load,
  walk,
  erase_while_walking,
  savepoint,
  snapshot,
  commit,
  abort
};

/// One step. Each kind uses the fields it needs.
struct Operation {
  Kind kind = Kind::put;
  unsigned key = 0;
  unsigned other = 0;
  unsigned size = 0;
  bool flag = false;
};

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  return out << static_cast<int>(operation.kind) << '(' << operation.key << ", " << operation.other << ", "
             << operation.size << ", " << operation.flag << ')';
}

rc::Gen<Operation> any_operation() {
  const auto kind = rc::gen::weightedElement<Kind>({{12, Kind::put},
                                                    {3, Kind::insert},
                                                    {5, Kind::erase},
                                                    {1, Kind::erase_range},
                                                    {1, Kind::clear},
                                                    {2, Kind::load},
                                                    {4, Kind::walk},
                                                    {2, Kind::erase_while_walking},
                                                    {3, Kind::savepoint},
                                                    {2, Kind::snapshot},
                                                    {3, Kind::commit},
                                                    {1, Kind::abort}});
  return rc::gen::build<Operation>(rc::gen::set(&Operation::kind, kind),
                                   rc::gen::set(&Operation::key, rc::gen::inRange(0U, 24U)),
                                   rc::gen::set(&Operation::other, rc::gen::inRange(0U, 24U)),
                                   rc::gen::set(&Operation::size, rc::gen::inRange(0U, 900U)),
                                   rc::gen::set(&Operation::flag, rc::gen::arbitrary<bool>()));
}

/// Few keys that differ in little: "", bytes 00 and FF, one the beginning of another.
std::string key_text(unsigned number) {
  constexpr char letters[] = {'\0', 'a', '\xFF'};
  std::string key;
  for (; number > 0; number = (number - 1) / 3) key.push_back(letters[(number - 1) % 3]);
  return key;
}

struct Failure {};

/// A history of one table, beside its model.
class History {
 public:
  explicit History(Database& db) : db_(db), table_(db, "t") {
    db_.update([&](WriteTransaction& txn) { table_.clear(txn); });
  }

  void run(const std::vector<Operation>& operations) {
    auto at = operations.begin();
    while (at != operations.end()) {
      CommittableTransaction txn = db_.begin_write();
      Model draft = committed_;
      bool commits = true;
      for (; at != operations.end(); ++at) {
        commits = at->kind != Kind::abort;
        if (at->kind == Kind::abort || at->kind == Kind::commit) break;
        step(txn, draft, at, operations.end());
      }
      if (at != operations.end()) ++at;
      expect_same(txn, draft);
      if (commits) {
        txn.commit();
        committed_ = draft;
      } else {
        txn.rollback();
      }
      for (const auto& [snapshot, model] : snapshots_) expect_same(snapshot, model);
      expect_same(db_.begin_read(), committed_);
    }
  }

 private:
  using Position = std::vector<Operation>::const_iterator;

  void step(WriteTransaction& txn, Model& model, Position& at, Position end) {
    const std::string key = key_text(at->key);
    const std::string value(at->size, static_cast<char>('a' + at->key));
    switch (at->kind) {
      case Kind::put:
        RC_ASSERT(table_.put_returning(txn, key, value) == value_of(model, key));
        model[key] = value;
        return;
      case Kind::insert: RC_ASSERT(table_.insert(txn, key, value) == model.emplace(key, value).second); return;
      case Kind::erase: RC_ASSERT(table_.erase(txn, key) == (model.erase(key) == 1)); return;
      case Kind::erase_range: return erase_range(txn, model, key, key_text(at->other));
      case Kind::clear:
        table_.clear(txn);
        model.clear();
        return;
      case Kind::load: return load(txn, model, *at);
      case Kind::walk: return walk(txn, model, *at);
      case Kind::erase_while_walking: return erase_while_walking(txn, model, at->flag);
      case Kind::savepoint: return savepoint(txn, model, at, end);
      case Kind::snapshot:
        if (snapshots_.size() == 3) snapshots_.erase(snapshots_.begin());
        snapshots_.emplace_back(db_.begin_read(), committed_);
        return;
      case Kind::commit:
      case Kind::abort: return;
    }
  }

  void erase_range(WriteTransaction& txn, Model& model, const std::string& from, const std::string& below) {
    std::uint64_t erased = 0;
    for (auto it = model.lower_bound(from); it != model.end() && it->first < below; ++erased) it = model.erase(it);
    RC_ASSERT(table_.erase_range(txn, {.from = from, .below = below}) == erased);
  }

  /// Some keys in their order. In a savepoint there is no load.
  void load(WriteTransaction& txn, Model& model, const Operation& operation) const {
    if (in_savepoint_) return;
    Model rows;
    for (unsigned number = operation.key % 3; number < 24; number += 1 + operation.other % 4)
      rows[key_text(number)] = std::string(operation.size + number, operation.flag ? 'l' : 'm');
    RC_ASSERT(table_.load_sorted(txn, rows) == rows.size());
    for (const auto& [key, value] : rows) model[key] = value;
  }

  /// A range with bounds of every kind, in both directions.
  void walk(const Transaction& txn, const Model& model, const Operation& operation) const {
    Bounds<std::string> bounds;
    const std::string low = key_text(operation.key);
    const std::string high = key_text(operation.other);
    (operation.flag ? bounds.from : bounds.after) = low;
    if (operation.size % 3 > 0) (operation.size % 3 == 1 ? bounds.below : bounds.through) = high;
    std::vector<TableEntry<std::string, std::string>> wanted;
    for (const auto& [key, value] : model) {
      const bool above = bounds.from ? key >= low : key > low;
      const bool below = (!bounds.below || key < high) && (!bounds.through || key <= high);
      if (above && below) wanted.push_back({key, value});
    }
    std::vector<TableEntry<std::string, std::string>> found;
    for (const auto& entry : table_.range(txn, bounds)) found.push_back(entry);
    RC_ASSERT(found == wanted);
    RC_ASSERT(table_.first(txn, bounds).has_value() == !wanted.empty());
    if (!wanted.empty()) {
      RC_ASSERT(*table_.first(txn, bounds) == wanted.front());
      RC_ASSERT(*table_.last(txn, bounds) == wanted.back());
    }
    std::size_t left = wanted.size();
    for (const auto& entry : table_.reverse(txn, bounds)) RC_ASSERT(entry == wanted.at(--left));
    RC_ASSERT(left == 0U);
  }

  void erase_while_walking(WriteTransaction& txn, Model& model, bool descending) const {
    const Model before = model;
    std::vector<std::string> seen;
    for (const auto& [key, value] : descending ? table_.reverse(txn) : table_.range(txn)) {
      RC_ASSERT(before.at(key) == value);
      seen.push_back(key);
      if (seen.size() % 2 == 0) continue;
      RC_ASSERT(table_.erase(txn, key));
      model.erase(key);
    }
    RC_ASSERT(seen.size() == before.size());
  }

  /// Some of the steps that follow, kept or taken back.
  void savepoint(WriteTransaction& txn, Model& model, Position& at, Position end) {
    Model draft = model;
    const bool fails = at->flag;
    const bool outer = std::exchange(in_savepoint_, true);
    try {
      txn.savepoint([&] {
        for (unsigned steps = at->other % 8; steps > 0 && std::next(at) != end; --steps) {
          const Kind next = std::next(at)->kind;
          if (next == Kind::commit || next == Kind::abort) break;
          ++at;
          step(txn, draft, at, end);
        }
        expect_same(txn, draft);
        if (fails) throw Failure{};
      });
      model = draft;
    } catch (const Failure&) {
      expect_same(txn, model);
    } catch (const LimitError& error) {  // nothing spills in it
      RC_ASSERT(error.facts().limit == "write_set_bytes");
      expect_same(txn, model);
    }
    in_savepoint_ = outer;
  }

  void expect_same(const Transaction& txn, const Model& model) const {
    RC_ASSERT(table_.count(txn) == model.size());
    auto wanted = model.begin();
    for (const auto& [key, value] : table_.range(txn)) {
      RC_ASSERT(wanted != model.end());
      RC_ASSERT(key == wanted->first);
      RC_ASSERT(value == wanted->second);
      ++wanted;
    }
    RC_ASSERT(wanted == model.end());
    for (unsigned number = 0; number < 24; ++number)
      RC_ASSERT(table_.get(txn, key_text(number)) == value_of(model, key_text(number)));
  }

  static std::optional<std::string> value_of(const Model& model, const std::string& key) {
    const auto found = model.find(key);
    return found != model.end() ? std::optional(found->second) : std::nullopt;
  }

  Database& db_;
  Table<std::string, std::string> table_;
  Model committed_;
  bool in_savepoint_ = false;
  std::vector<std::pair<ReadTransaction, Model>> snapshots_;
};

bool answers_as_a_map(const char* description, std::uint64_t write_set_bytes) {
  const TemporaryDirectory directory(fast_directory());
  const auto db = Database::open({.path = directory.path() / "store",
                                  .durability = Durability::ordered,
                                  .map_reserve_bytes = 1U << 28U,
                                  .write_set_bytes = write_set_bytes});
  return rc::check(description, [&] {
    const auto operations = *rc::gen::container<std::vector<Operation>>(any_operation());
    History(*db).run(operations);
  });
}

class TableModel : public ::testing::Test {
 protected:
  /// RapidCheck reads its parameters from the environment, once.
  static void SetUpTestSuite() {
    const std::string parameters = "seed=" + std::to_string(test_seed()) + " max_success=1500 max_size=60";
    ::setenv("RC_PARAMS", parameters.c_str(), 1);
  }
};

TEST_F(TableModel, ATableAnswersAsAMapWould) {
  EXPECT_TRUE(answers_as_a_map("in memory until the commit", limits::write_set_bytes));
}

TEST_F(TableModel, ATransactionThatSpillsAnswersAsAMapWould) {
  EXPECT_TRUE(answers_as_a_map("spilled", 6000));
}

}  // namespace
}  // namespace holdfast::testing
