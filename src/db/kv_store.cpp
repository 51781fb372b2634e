#include "holdfast/db/kv_store.hpp"

#include "db/batch_write.hpp"
#include "db/environment.hpp"
#include "db/grouped_write.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

std::shared_ptr<Database> require_given(std::shared_ptr<Database> database) {
  if (!database) throw OptionError({.option = "database", .problem = "is null"});
  return database;
}

bool same(const std::optional<ByteView>& one, const std::optional<ByteView>& other) {
  return one.has_value() == other.has_value() && (!one || equal(*one, *other));
}

}  // namespace

KvStore::KvStore(std::shared_ptr<Database> database, std::string_view table, const TableOptions& options)
    : database_(require_given(std::move(database))), table_(database_->table(table, options)) {}

void KvStore::commit(FunctionRef<void(WriteTransaction&)> write) {
  database_->require_writable();
  detail::GroupedWrite grouped{.table = &table_, .use = write};
  detail::commit_grouped(*database_, {&grouped, 1});
  if (grouped.failure) std::rethrow_exception(grouped.failure);
}

std::optional<Bytes> KvStore::get(std::string_view key) const {
  return table_.get(database_->begin_read(), as_bytes(key));
}

bool KvStore::contains(std::string_view key) const {
  return table_.contains(database_->begin_read(), as_bytes(key));
}

void KvStore::put(std::string_view key, ByteView value, TimeToLive ttl) {
  commit([&](WriteTransaction& txn) { detail::put(txn, table_, key, value, ttl); });
}

std::optional<Bytes> KvStore::put_returning(std::string_view key, ByteView value, TimeToLive ttl) {
  std::optional<Bytes> before;
  commit([&](WriteTransaction& txn) {
    before = table_.get(txn, as_bytes(key));
    detail::put(txn, table_, key, value, ttl);
  });
  return before;
}

bool KvStore::erase(std::string_view key) {
  bool existed = false;
  commit([&](WriteTransaction& txn) { existed = table_.erase(txn, as_bytes(key)); });
  return existed;
}

void KvStore::write(const WriteBatch& batch, TimeToLive ttl) {
  commit([&](WriteTransaction& txn) { detail::write(txn, table_, batch, ttl); });
}

bool KvStore::compare_and_swap(std::string_view key, std::optional<ByteView> expected, std::optional<ByteView> desired,
                               TimeToLive ttl) {
  bool swapped = false;
  commit([&](WriteTransaction& txn) {
    Bytes scratch;
    swapped = same(table_.view(txn, as_bytes(key), scratch), expected);
    if (!swapped) return;
    if (desired) {
      detail::put(txn, table_, key, *desired, ttl);
    } else {
      table_.erase(txn, as_bytes(key));
    }
  });
  return swapped;
}

std::optional<Bytes> KvStore::merge(std::string_view key,
                                    FunctionRef<std::optional<Bytes>(std::optional<ByteView>)> merged) {
  return transaction([&](WriteTransaction& txn, const ByteTable& table) {
    std::optional<Bytes> after = merged(table.view(txn, as_bytes(key)));
    if (after) {
      table.put(txn, as_bytes(key), *after);
    } else {
      table.erase(txn, as_bytes(key));
    }
    return after;
  });
}

bool KvStore::expire(std::string_view key, TimeToLive ttl) {
  bool existed = false;
  commit([&](WriteTransaction& txn) { existed = table_.expire(txn, as_bytes(key), ttl); });
  return existed;
}

bool KvStore::persist(std::string_view key) {
  return expire(key, TimeToLive::forever());
}

std::optional<std::chrono::milliseconds> KvStore::ttl(std::string_view key) const {
  return table_.ttl(database_->begin_read(), as_bytes(key));
}

std::uint64_t KvStore::purge_expired(std::uint64_t limit) {
  std::uint64_t purged = 0;
  commit([&](WriteTransaction& txn) { purged = table_.purge_expired(txn, limit); });
  return purged;
}

KvRange KvStore::range(const KeyRange& range, Order order) const {
  return KvRange(database_->begin_read(), table_, range, order);
}

KvRange KvStore::prefix(std::string_view prefix, Order order) const {
  return range(KeyRange::with_prefix(prefix), order);
}

std::uint64_t KvStore::count() const {
  return table_.count(database_->begin_read());
}

KvSnapshot KvStore::snapshot() const {
  return KvSnapshot(database_->begin_read(), table_);
}

std::uint64_t KvStore::size_on_disk_bytes() const {
  const auto& environment = database_->environment();
  environment->require_own_process();
  return environment->data().status().size_bytes;
}

}  // namespace holdfast
