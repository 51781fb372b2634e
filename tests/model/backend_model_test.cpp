#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/core/error.hpp"
#include "support/backend_stores.hpp"
#include "support/seed.hpp"

/// Random writes, batches, snapshots, scans and reopenings: every backend must always answer as a std::map would.
namespace holdfast::testing {
namespace {

using Model = std::map<std::string, std::string, std::less<>>;

constexpr std::array<std::string_view, 9> keys = {"", "a", "a/", "a/1", "a/2", "a0", "b", "é", "👋/z"};
constexpr std::array<std::string_view, 6> prefixes = {"", "a", "a/", "b", "\xC3", "nothing"};
constexpr std::size_t living_snapshots = 3;

/// A number stands for a value: 0 for the empty one, some for values that fill more than a page.
std::string value_text(int number) {
  return std::string(number % 5 == 4 ? 6000U : static_cast<std::size_t>(number), static_cast<char>('a' + number));
}

struct Write {
  std::size_t key = 0;
  std::optional<int> value{};  ///< none: an erase
};

struct Guard {
  std::size_t key = 0;
  bool holds = false;          ///< require what is there, whatever that is; otherwise:
  std::optional<int> value{};  ///< none: require absence
};

enum class Kind { put, erase, batch, scan, snapshot, reopen };

/// One step. Each kind uses the fields it needs.
struct Operation {
  Kind kind = Kind::put;
  Write write{};
  std::vector<Write> writes{};
  std::vector<Guard> guards{};
  std::size_t prefix = 0;
  std::optional<std::size_t> after{};
  std::optional<std::size_t> limit{};
  bool reverse = false;
  bool values = true;
};

std::ostream& operator<<(std::ostream& out, const Write& write) {
  out << (write.value ? "put " : "erase ") << keys[write.key];
  if (write.value) out << '=' << *write.value;
  return out;
}

std::ostream& operator<<(std::ostream& out, const Guard& guard) {
  out << "require " << keys[guard.key];
  if (guard.holds) return out << " as it is";
  return guard.value ? out << '=' << *guard.value : out << " absent";
}

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  switch (operation.kind) {
    case Kind::put:
    case Kind::erase: return out << operation.write;
    case Kind::batch:
      out << "batch(";
      for (const Guard& guard : operation.guards) out << guard << "; ";
      for (const Write& write : operation.writes) out << write << "; ";
      return out << ')';
    case Kind::scan:
      out << "scan(" << prefixes[operation.prefix];
      if (operation.after) out << ", after " << keys[*operation.after];
      if (operation.limit) out << ", limit " << *operation.limit;
      return out << (operation.reverse ? ", reverse)" : ")");
    case Kind::snapshot: return out << "snapshot";
    case Kind::reopen: return out << "reopen";
  }
  return out;
}

rc::Gen<std::size_t> any_key() {
  return rc::gen::inRange<std::size_t>(0, keys.size());
}

rc::Gen<std::optional<int>> any_value() {
  return rc::gen::map(rc::gen::inRange(-3, 12),
                      [](int number) { return number < 0 ? std::nullopt : std::optional(number); });
}

rc::Gen<Write> any_write() {
  return rc::gen::build<Write>(rc::gen::set(&Write::key, any_key()), rc::gen::set(&Write::value, any_value()));
}

rc::Gen<Guard> any_guard() {
  return rc::gen::build<Guard>(rc::gen::set(&Guard::key, any_key()),
                               rc::gen::set(&Guard::holds, rc::gen::weightedElement<bool>({{4, true}, {1, false}})),
                               rc::gen::set(&Guard::value, any_value()));
}

rc::Gen<std::optional<std::size_t>> perhaps(std::size_t bound) {
  return rc::gen::map(rc::gen::inRange<std::size_t>(0, 2 * bound),
                      [bound](std::size_t number) { return number < bound ? std::optional(number) : std::nullopt; });
}

rc::Gen<Operation> any_operation() {
  const auto kind = rc::gen::weightedElement<Kind>(
      {{6, Kind::put}, {3, Kind::erase}, {4, Kind::batch}, {3, Kind::scan}, {2, Kind::snapshot}, {1, Kind::reopen}});
  return rc::gen::build<Operation>(
      rc::gen::set(&Operation::kind, kind), rc::gen::set(&Operation::write, any_write()),
      rc::gen::set(&Operation::writes, rc::gen::container<std::vector<Write>>(any_write())),
      rc::gen::set(&Operation::guards, rc::gen::resize(3, rc::gen::container<std::vector<Guard>>(any_guard()))),
      rc::gen::set(&Operation::prefix, rc::gen::inRange<std::size_t>(0, prefixes.size())),
      rc::gen::set(&Operation::after, perhaps(keys.size())), rc::gen::set(&Operation::limit, perhaps(6)),
      rc::gen::set(&Operation::reverse), rc::gen::set(&Operation::values));
}

ScanOptions scan_options(const Operation& operation) {
  ScanOptions options{.prefix = std::string(prefixes[operation.prefix]),
                      .limit = operation.limit,
                      .reverse = operation.reverse,
                      .values = operation.values};
  if (operation.after) options.after = std::string(keys[*operation.after]);
  return options;
}

/// What a scan of the model yields, found by looking at every key.
std::vector<Entry> scanned(const Model& model, const ScanOptions& options) {
  std::vector<Entry> entries;
  for (const auto& [key, value] : model) {
    const bool beyond = !options.after || (options.reverse ? key < *options.after : key > *options.after);
    if (!key.starts_with(options.prefix) || !beyond) continue;
    entries.push_back({key, options.values ? to_bytes(value) : Bytes()});
  }
  if (options.reverse) std::reverse(entries.begin(), entries.end());
  if (options.limit && entries.size() > *options.limit) entries.resize(*options.limit);
  return entries;
}

void check_scan(const BackendReader& reader, const Model& model, const ScanOptions& options) {
  std::vector<Entry> entries;
  for (const Entry& entry : reader.scan(options)) entries.push_back(entry);
  RC_ASSERT((entries == scanned(model, options)));
}

void check_reads(const BackendReader& reader, const Model& model) {
  for (const std::string_view key : keys) {
    const auto found = model.find(key);
    const std::optional<Bytes> value = reader.read(key);
    RC_ASSERT(value.has_value() == (found != model.end()));
    if (value) RC_ASSERT((as_text(*value) == found->second));
  }
}

/// A backend beside its model, and snapshots of both.
class Comparison {
 public:
  explicit Comparison(StoreUnderTest store) : store_(std::move(store)), backend_(store_.open()) {}

  void step(const Operation& operation) {
    switch (operation.kind) {
      case Kind::put: put(operation.write.key, operation.write.value.value_or(0)); break;
      case Kind::erase: erase(operation.write.key); break;
      case Kind::batch: apply(operation); break;
      case Kind::scan: scan(operation); break;
      case Kind::snapshot: snapshot(); break;
      case Kind::reopen: reopen(); break;
    }
  }

  void check() const {
    check_reads(*backend_, model_);
    check_scan(*backend_, model_, {});
    for (const auto& [shown, reader] : snapshots_) {
      check_reads(*reader, shown);
      check_scan(*reader, shown, {});
    }
  }

 private:
  void put(std::size_t key, int value) {
    backend_->write(keys[key], as_bytes(value_text(value)));
    model_.insert_or_assign(std::string(keys[key]), value_text(value));
  }

  void erase(std::size_t key) {
    const bool existed = model_.erase(std::string(keys[key])) > 0;
    RC_ASSERT(backend_->erase(keys[key]) == existed);
  }

  void apply(const Operation& operation) {
    WriteBatch batch;
    const bool passes = add_guards(operation.guards, batch);
    Model after = model_;
    for (const auto& [key, value] : operation.writes) {
      if (value) {
        batch.put(keys[key], as_bytes(value_text(*value)));
        after.insert_or_assign(std::string(keys[key]), value_text(*value));
      } else {
        batch.erase(keys[key]);
        after.erase(std::string(keys[key]));
      }
    }
    if (passes) {
      backend_->apply(batch);
      model_ = std::move(after);
    } else {
      RC_ASSERT_THROWS_AS(backend_->apply(batch), ConflictError);
      check_reads(*backend_, model_);
    }
  }

  /// Whether all of them hold.
  [[nodiscard]] bool add_guards(const std::vector<Guard>& guards, WriteBatch& batch) const {
    bool all_hold = true;
    for (const Guard& guard : guards) {
      const auto found = model_.find(keys[guard.key]);
      std::optional<std::string> actual;
      if (found != model_.end()) actual = found->second;
      std::optional<std::string> required = actual;
      if (!guard.holds) required = guard.value ? std::optional(value_text(*guard.value)) : std::nullopt;
      all_hold = all_hold && required == actual;
      if (required) {
        batch.require_value(keys[guard.key], as_bytes(*required));
      } else {
        batch.require_absent(keys[guard.key]);
      }
    }
    return all_hold;
  }

  void scan(const Operation& operation) const {
    const ScanOptions options = scan_options(operation);
    check_scan(*backend_, model_, options);
    for (const auto& [shown, reader] : snapshots_) check_scan(*reader, shown, options);
  }

  void snapshot() {
    if (snapshots_.size() == living_snapshots) snapshots_.erase(snapshots_.begin() + 1);  // neither end
    snapshots_.emplace_back(model_, backend_->snapshot());
  }

  void reopen() {
    if (!backend_->capabilities().persistent) return;
    snapshots_.clear();
    backend_.reset();
    backend_ = store_.open();
  }

  StoreUnderTest store_;
  std::shared_ptr<StorageBackend> backend_;
  Model model_;
  std::vector<std::pair<Model, std::unique_ptr<const BackendSnapshot>>> snapshots_;
};

class BackendModel : public ::testing::TestWithParam<BackendFactory> {
 protected:
  /// RapidCheck reads its parameters from the environment, once.
  static void SetUpTestSuite() {
    const std::string parameters = "seed=" + std::to_string(test_seed()) + " max_success=60 max_size=40";
    ::setenv("RC_PARAMS", parameters.c_str(), 1);
  }
};

TEST_P(BackendModel, AnswersAsAMapDoesWhateverIsDone) {
  const auto agrees = [] {
    const auto operations = *rc::gen::container<std::vector<Operation>>(any_operation());
    Comparison comparison(GetParam().make());
    for (const Operation& operation : operations) comparison.step(operation);
    comparison.check();
  };
  EXPECT_TRUE(rc::check("agrees with std::map", agrees));
}

INSTANTIATE_TEST_SUITE_P(Memory, BackendModel,
                         ::testing::Values(BackendFactory{"plain", [] { return memory_store(); }},
                                           BackendFactory{"sealed", [] { return sealed(memory_store()); }}),
                         factory_name);

// Unsynced from here on: what survives power loss is not asked here.
StoreUnderTest file() {
  return file_store(Durability::unsynced);
}
INSTANTIATE_TEST_SUITE_P(File, BackendModel,
                         ::testing::Values(BackendFactory{"plain", file},
                                           BackendFactory{"sealed", [] { return sealed(file()); }}),
                         factory_name);

#ifdef HOLDFAST_WITH_LMDB
StoreUnderTest lmdb() {
  return lmdb_store(Durability::unsynced);
}
INSTANTIATE_TEST_SUITE_P(Lmdb, BackendModel,
                         ::testing::Values(BackendFactory{"plain", lmdb},
                                           BackendFactory{"sealed", [] { return sealed(lmdb()); }}),
                         factory_name);
#endif

}  // namespace
}  // namespace holdfast::testing
