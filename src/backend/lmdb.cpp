#include "holdfast/backend/lmdb.hpp"

#include <exception>
#include <mutex>
#include <span>
#include <utility>

#include "db/environment.hpp"
#include "db/group_commit.hpp"
#include "db/lmdb_txn.hpp"
#include "db/precondition.hpp"
#include "db/stored_key.hpp"
#include "db/stored_range.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

using detail::Environment;
using detail::ReadBase;
using detail::StoredKey;
using detail::WriteBase;

/// A read transaction that several threads may use: LMDB wants them one at a time. What it lends stays good for its
/// whole life, so only LMDB's own calls are under the lock.
struct PinnedState {
  explicit PinnedState(const Database& database)
      : base(std::make_shared<ReadBase>(database.environment(), database.options())) {
    base->stamp();
  }

  std::shared_ptr<ReadBase> base;
  std::mutex mutex;
};

KeyRange range_of(const ScanOptions& options) {
  const KeyRange range = KeyRange::with_prefix(options.prefix);
  if (!options.after) return range;
  return options.reverse ? range.before(*options.after) : range.after(*options.after);
}

class LmdbScan final : public ScanCursor {
 public:
  LmdbScan(std::shared_ptr<PinnedState> state, const ScanOptions& options)
      : state_(std::move(state)),
        range_(cursor(*state_), range_of(options), options.reverse ? Order::descending : Order::ascending),
        left_(options.limit),
        values_(options.values) {}

  bool next(Entry& entry) override {
    state_->base->environment()->require_own_process();
    if (left_ && *left_ == 0) return false;
    const std::lock_guard lock(state_->mutex);
    if (batch_.empty()) batch_ = range_.next_batch();
    if (batch_.empty()) return false;
    entry.key = as_text(batch_.front().key);
    if (values_) entry.value.assign(batch_.front().value.begin(), batch_.front().value.end());
    batch_ = batch_.subspan(1);
    if (left_) --*left_;
    return true;
  }

 private:
  static std::unique_ptr<detail::OrderedCursor> cursor(PinnedState& state) {
    state.base->environment()->require_own_process();
    const std::lock_guard lock(state.mutex);
    return detail::LmdbView(state.base, state.base->environment()->backend_table()).cursor();
  }

  std::shared_ptr<PinnedState> state_;
  detail::StoredRange range_;
  std::span<const detail::Item> batch_;
  std::optional<std::size_t> left_;
  bool values_;
};

class LmdbSnapshot final : public BackendReader {
 public:
  explicit LmdbSnapshot(std::shared_ptr<PinnedState> state) noexcept : state_(std::move(state)) {}

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override {
    const StoredKey stored(as_bytes(key));
    const auto value = get(stored.checked());
    if (value) use(*value);
    return value.has_value();
  }

  [[nodiscard]] Scan scan(ScanOptions options) const override {
    return Scan(std::make_unique<LmdbScan>(state_, options));
  }

 private:
  [[nodiscard]] std::optional<ByteView> get(ByteView stored) const {
    state_->base->environment()->require_own_process();
    const std::lock_guard lock(state_->mutex);
    return state_->base->get(state_->base->environment()->backend_table(), stored);
  }

  std::shared_ptr<PinnedState> state_;
};

void check(const WriteBatch& batch) {
  for (const auto& precondition : batch.preconditions()) StoredKey(as_bytes(precondition.key)).checked();
  for (const auto& write : batch.writes()) {
    StoredKey(as_bytes(write.key)).checked();
    if (write.value) detail::check_value(*write.value);
  }
}

void judge(const WriteBase& txn, const WriteBatch& batch) {
  for (const auto& required : batch.preconditions()) {
    const StoredKey stored(as_bytes(required.key));
    detail::require_holds(required, txn.get(txn.environment()->backend_table(), stored.view()));
  }
}

void write_all(WriteBase& txn, const WriteBatch& batch) {
  const detail::LmdbHandle table = txn.environment()->backend_table();
  for (const auto& write : batch.writes()) {
    const StoredKey stored(as_bytes(write.key));
    if (write.value) {
      txn.put(table, stored.view(), *write.value);
    } else {
      txn.erase(table, stored.view());
    }
  }
}

/// Commits what `apply` writes, with what other threads write meanwhile.
void commit(const Database& database, FunctionRef<void(WriteBase&)> apply) {
  detail::GroupMember member{.apply = apply, .durability = database.durability()};
  const auto& environment = database.environment();
  environment->group_commit().commit(environment, {&member, 1}, database.options());
  database.after_commit();
  if (member.failure) std::rethrow_exception(member.failure);
}

}  // namespace

LmdbBackend::LmdbBackend(const LmdbOptions& options) : LmdbBackend(Database::open(options)) {}

LmdbBackend::LmdbBackend(std::shared_ptr<Database> database) : database_(std::move(database)) {
  if (!database_) throw OptionError({.option = "database", .problem = "is null"});
}

LmdbBackend::~LmdbBackend() = default;

bool LmdbBackend::view(std::string_view key, FunctionRef<void(ByteView)> use) const {
  database_->environment()->require_own_process();
  const StoredKey stored(as_bytes(key));
  const ByteView checked = stored.checked();
  // Borrowed: counting an owner in and out would write a cache line that all readers share.
  const std::shared_ptr<Environment> borrowed(std::shared_ptr<void>(), database_->environment().get());
  const ReadBase txn(borrowed, database_->options());
  const auto value = txn.get(database_->environment()->backend_table(), checked);
  if (value) use(*value);
  return value.has_value();
}

Scan LmdbBackend::scan(ScanOptions options) const {
  return Scan(std::make_unique<LmdbScan>(std::make_shared<PinnedState>(*database_), options));
}

void LmdbBackend::write(std::string_view key, ByteView value) {
  require_writable();
  const StoredKey stored(as_bytes(key));
  const ByteView checked = stored.checked();
  detail::check_value(value);
  commit(*database_, [&](WriteBase& txn) { txn.put(txn.environment()->backend_table(), checked, value); });
}

bool LmdbBackend::erase(std::string_view key) {
  require_writable();
  const StoredKey stored(as_bytes(key));
  const ByteView checked = stored.checked();
  bool existed = false;
  commit(*database_, [&](WriteBase& txn) { existed = txn.erase(txn.environment()->backend_table(), checked); });
  return existed;
}

void LmdbBackend::apply(const WriteBatch& batch) {
  require_writable();
  check(batch);
  if (batch.empty()) return;
  commit(*database_, [&](WriteBase& txn) {
    judge(txn, batch);
    write_all(txn, batch);
  });
}

std::unique_ptr<const BackendSnapshot> LmdbBackend::snapshot() const {
  return std::make_unique<LmdbSnapshot>(std::make_shared<PinnedState>(*database_));
}

void LmdbBackend::flush() {
  database_->flush();
}

Capabilities LmdbBackend::capabilities() const noexcept {
  return {.max_key_bytes = limits::max_key_bytes,
          .max_value_bytes = limits::max_value_bytes,
          .binary_keys = true,
          .listing = true,
          .persistent = !database_->environment()->in_memory()};
}

std::string LmdbBackend::name() const {
  return "lmdb:" + database_->path().string();
}

void LmdbBackend::require_writable() const {
  database_->environment()->require_own_process();
  if (database_->access() == Access::read_only)
    throw StateError({.state = State::read_only, .where = name(), .problem = "a handle for reading only"});
}

}  // namespace holdfast
