// holdfast's database: a byte table, its transactions and ranges.
#include <chrono>
#include <future>
#include <vector>

#include "holdfast/db/bulk_load.hpp"
#include "holdfast/db/database.hpp"
#include "holdfast/db/table.hpp"
#include "peers/engine.hpp"

namespace holdfast::bench {
namespace {

bool get_in(const ByteTable& table, const Transaction& txn, ByteView key, UseValue use) {
  const auto value = table.view(txn, key);
  if (value) use(*value);
  return value.has_value();
}

class TableSnapshot final : public Snapshot {
 public:
  TableSnapshot(const Database& db, const ByteTable& table) : txn_(db.begin_read()), table_(table) {}
  bool get(ByteView key, UseValue use) override { return get_in(table_, txn_, key, use); }
  void scan(ByteView from, std::uint64_t limit, UseRow use) override {
    if (limit == 0) return;
    for (const ByteEntry& entry : table_.scan(txn_, {.first = to_text(from)})) {
      use({.key = entry.key, .value = entry.value});
      if (--limit == 0) return;
    }
  }

 private:
  ReadTransaction txn_;
  const ByteTable& table_;
};

class TableSession final : public Session {
 public:
  TableSession(Database& db, const ByteTable& table) : db_(db), table_(table) {}
  void put(const Row& row) override {
    db_.update([&](WriteTransaction& txn) { table_.put(txn, row.key, row.value); });
  }
  void put_batch(std::span<const Row> rows) override {
    db_.update([&](WriteTransaction& txn) {
      for (const Row& row : rows) table_.put(txn, row.key, row.value);
    });
  }
  bool put_in_flight(std::span<const Row> rows) override {
    std::vector<std::future<void>> given;
    given.reserve(rows.size());
    for (const Row& row : rows) given.push_back(db_.write_async(table_, WriteBatch().put(as_text(row.key), row.value)));
    for (auto& done : given) done.get();
    return true;
  }
  void erase_batch(std::span<const ByteView> keys) override {
    db_.update([&](WriteTransaction& txn) {
      for (const ByteView key : keys) table_.erase(txn, key);
    });
  }
  bool get(ByteView key, UseValue use) override {
    return db_.view([&](const ReadTransaction& txn) { return get_in(table_, txn, key, use); });
  }
  bool get_copy(ByteView key, Bytes& value) override {
    auto found = db_.view([&](const ReadTransaction& txn) { return table_.get(txn, key); });
    if (found) value = std::move(*found);
    return found.has_value();
  }
  std::unique_ptr<Snapshot> snapshot() override { return std::make_unique<TableSnapshot>(db_, table_); }

 private:
  Database& db_;
  const ByteTable& table_;
};

class TableEngine final : public Engine {
 public:
  explicit TableEngine(const std::filesystem::path& directory)
      : db_(Database::open({.path = directory / "store", .busy_timeout = std::chrono::minutes(1)})) {}
  std::unique_ptr<Session> session() override { return std::make_unique<TableSession>(*db_, table_); }
  void bulk_load(RowSource next, Arrival arrival) override {
    db_->update([&](WriteTransaction& txn) {
      BulkLoader loader(txn, table_);
      if (arrival == Arrival::key_order) {
        for (Row row; next(row);) loader.append(row.key, row.value);
      } else {
        const SortedRows sorted(next, arrival);
        for (const Row& row : sorted.rows()) loader.append(row.key, row.value);
      }
      loader.finish();
    });
  }

 private:
  std::shared_ptr<Database> db_;
  ByteTable table_ = db_->table("rows");
};

}  // namespace

EngineKind holdfast_table_kind() {
  return {.name = "holdfast",
          .version = HOLDFAST_BENCH_VERSION,
          .terms = "synced; a byte table; bulk load: sorted, BulkLoader, one transaction",
          .open = [](const std::filesystem::path& directory) -> std::unique_ptr<Engine> {
            return std::make_unique<TableEngine>(directory);
          }};
}

}  // namespace holdfast::bench
