// LevelDB: sync of the log per write, no compression (the values are random bytes), a Bloom filter of 10 bits per key
// and a block cache that holds the whole set.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <atomic>
#include <cstdarg>
#include <string_view>

#include "peers/engine.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t cache_bytes = std::size_t{1} << 30U;
constexpr std::size_t load_batch_rows = 10'000;

void check(const leveldb::Status& status, const char* what) {
  if (!status.ok()) fail(what, status.ToString());
}
leveldb::Slice slice(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView view_of(const leveldb::Slice& bytes) {
  return as_bytes({bytes.data(), bytes.size()});
}

/// LevelDB tells its log, and nobody else, what it does in the background.
struct BackgroundCounter final : leveldb::Logger {
  void Logv(const char* format, std::va_list) override {
    const std::string_view line(format);
    if (line.starts_with("Level-0 table") && line.ends_with(": started")) ++flushes;
    if (line.starts_with("Compacting ")) ++compactions;
  }
  std::atomic<std::uint64_t> flushes = 0;
  std::atomic<std::uint64_t> compactions = 0;
};

bool get_in(leveldb::DB& db, const leveldb::ReadOptions& options, ByteView key, std::string& value, UseValue use) {
  const auto status = db.Get(options, slice(key), &value);
  if (status.IsNotFound()) return false;
  check(status, "Get");
  use(as_bytes(value));
  return true;
}

class LeveldbSnapshot final : public Snapshot {
 public:
  explicit LeveldbSnapshot(leveldb::DB& db) : db_(db) { options_.snapshot = db.GetSnapshot(); }
  ~LeveldbSnapshot() override { db_.ReleaseSnapshot(options_.snapshot); }
  LeveldbSnapshot(const LeveldbSnapshot&) = delete;
  LeveldbSnapshot& operator=(const LeveldbSnapshot&) = delete;

  bool get(ByteView key, UseValue use) override { return get_in(db_, options_, key, value_, use); }
  void scan(ByteView from, std::uint64_t limit, UseRow use) override {
    const std::unique_ptr<leveldb::Iterator> it(db_.NewIterator(options_));
    for (it->Seek(slice(from)); it->Valid() && limit > 0; --limit) {
      use({.key = view_of(it->key()), .value = view_of(it->value())});
      if (limit > 1) it->Next();
    }
    check(it->status(), "Iterator");
  }

 private:
  leveldb::DB& db_;
  leveldb::ReadOptions options_;
  std::string value_;
};

class LeveldbSession final : public Session {
 public:
  explicit LeveldbSession(leveldb::DB& db) : db_(db) { durable_.sync = true; }
  void put(const Row& row) override { check(db_.Put(durable_, slice(row.key), slice(row.value)), "Put"); }
  void put_batch(std::span<const Row> rows) override {
    leveldb::WriteBatch batch;
    for (const Row& row : rows) batch.Put(slice(row.key), slice(row.value));
    check(db_.Write(durable_, &batch), "Write");
  }
  void erase_batch(std::span<const ByteView> keys) override {
    leveldb::WriteBatch batch;
    for (const ByteView key : keys) batch.Delete(slice(key));
    check(db_.Write(durable_, &batch), "Write");
  }
  bool get(ByteView key, UseValue use) override { return get_in(db_, {}, key, value_, use); }
  std::unique_ptr<Snapshot> snapshot() override { return std::make_unique<LeveldbSnapshot>(db_); }

 private:
  leveldb::DB& db_;
  leveldb::WriteOptions durable_;
  std::string value_;
};

class LeveldbEngine final : public Engine {
 public:
  explicit LeveldbEngine(const std::filesystem::path& directory)
      : cache_(leveldb::NewLRUCache(cache_bytes)), filter_(leveldb::NewBloomFilterPolicy(10)) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.compression = leveldb::kNoCompression;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    options.info_log = &counter_;
    leveldb::DB* db = nullptr;
    check(leveldb::DB::Open(options, (directory / "db").string(), &db), "DB::Open");
    db_.reset(db);
  }
  std::unique_ptr<Session> session() override { return std::make_unique<LeveldbSession>(*db_); }

  /// Sorted tables do not overlap and are only moved. Every batch is synced: a log that was closed never is.
  void bulk_load(RowSource next, Arrival arrival) override {
    LeveldbSession session(*db_);
    load_in_batches(session, next, arrival, load_batch_rows);
  }
  std::map<std::string, std::uint64_t> background_work() override {
    return {{"checkpoints", counter_.flushes}, {"compactions", counter_.compactions}};
  }

 private:
  BackgroundCounter counter_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace

EngineKind leveldb_kind() {
  return {.name = "leveldb",
          .version = std::to_string(leveldb::kMajorVersion) + "." + std::to_string(leveldb::kMinorVersion),
          .terms = "sync = true; no compression; Bloom filter; 1 GiB block cache; bulk load: sorted, batches of 10,000",
          .open = [](const std::filesystem::path& directory) -> std::unique_ptr<Engine> {
            return std::make_unique<LeveldbEngine>(directory);
          }};
}

}  // namespace holdfast::bench
