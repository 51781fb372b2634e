// RocksDB: sync of the log per write, no compression (the values are random bytes), a Bloom filter of 10 bits per key
// and a block cache that holds the whole set, as its tuning guide asks for.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>

#include <atomic>

#include "peers/engine.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t cache_bytes = std::size_t{1} << 30U;

void check(const rocksdb::Status& status, const char* what) {
  if (!status.ok()) fail(what, status.ToString());
}
rocksdb::Slice slice(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView view_of(const rocksdb::Slice& bytes) {
  return as_bytes({bytes.data(), bytes.size()});
}

struct BackgroundCounter final : rocksdb::EventListener {
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { ++flushes; }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { ++compactions; }
  std::atomic<std::uint64_t> flushes = 0;
  std::atomic<std::uint64_t> compactions = 0;
};

bool get_in(rocksdb::DB& db, const rocksdb::ReadOptions& options, ByteView key, UseValue use) {
  rocksdb::PinnableSlice value;
  const auto status = db.Get(options, db.DefaultColumnFamily(), slice(key), &value);
  if (status.IsNotFound()) return false;
  check(status, "Get");
  use(view_of(value));
  return true;
}

class RocksdbSnapshot final : public Snapshot {
 public:
  explicit RocksdbSnapshot(rocksdb::DB& db) : db_(db) { options_.snapshot = db.GetSnapshot(); }
  ~RocksdbSnapshot() override { db_.ReleaseSnapshot(options_.snapshot); }
  RocksdbSnapshot(const RocksdbSnapshot&) = delete;
  RocksdbSnapshot& operator=(const RocksdbSnapshot&) = delete;

  bool get(ByteView key, UseValue use) override { return get_in(db_, options_, key, use); }
  void scan(ByteView from, std::uint64_t limit, UseRow use) override {
    const std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(options_));
    for (it->Seek(slice(from)); it->Valid() && limit > 0; --limit) {
      use({.key = view_of(it->key()), .value = view_of(it->value())});
      if (limit > 1) it->Next();
    }
    check(it->status(), "Iterator");
  }

 private:
  rocksdb::DB& db_;
  rocksdb::ReadOptions options_;
};

class RocksdbSession final : public Session {
 public:
  explicit RocksdbSession(rocksdb::DB& db) : db_(db) { durable_.sync = true; }
  void put(const Row& row) override { check(db_.Put(durable_, slice(row.key), slice(row.value)), "Put"); }
  void put_batch(std::span<const Row> rows) override {
    rocksdb::WriteBatch batch;
    for (const Row& row : rows) check(batch.Put(slice(row.key), slice(row.value)), "WriteBatch::Put");
    check(db_.Write(durable_, &batch), "Write");
  }
  void erase_batch(std::span<const ByteView> keys) override {
    rocksdb::WriteBatch batch;
    for (const ByteView key : keys) check(batch.Delete(slice(key)), "WriteBatch::Delete");
    check(db_.Write(durable_, &batch), "Write");
  }
  bool get(ByteView key, UseValue use) override { return get_in(db_, {}, key, use); }
  std::unique_ptr<Snapshot> snapshot() override { return std::make_unique<RocksdbSnapshot>(db_); }

 private:
  rocksdb::DB& db_;
  rocksdb::WriteOptions durable_;
};

class RocksdbEngine final : public Engine {
 public:
  explicit RocksdbEngine(const std::filesystem::path& directory) : directory_(directory) {
    options_.create_if_missing = true;
    options_.compression = rocksdb::kNoCompression;
    options_.listeners.push_back(counter_);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(cache_bytes);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    options_.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options_, (directory / "db").string(), &db), "DB::Open");
    db_.reset(db);
  }
  std::unique_ptr<Session> session() override { return std::make_unique<RocksdbSession>(*db_); }

  void bulk_load(RowSource next, Arrival arrival) override {
    const auto file = (directory_ / "load.sst").string();
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options_);
    check(writer.Open(file), "SstFileWriter::Open");
    const auto append = [&](const Row& row) { check(writer.Put(slice(row.key), slice(row.value)), "SstFileWriter"); };
    if (arrival == Arrival::key_order) {
      for (Row row; next(row);) append(row);
    } else {
      const SortedRows sorted(next, arrival);
      for (const Row& row : sorted.rows()) append(row);
    }
    check(writer.Finish(), "SstFileWriter::Finish");
    rocksdb::IngestExternalFileOptions moved;
    moved.move_files = true;
    check(db_->IngestExternalFile({file}, moved), "IngestExternalFile");
  }
  std::map<std::string, std::uint64_t> background_work() override {
    return {{"checkpoints", counter_->flushes}, {"compactions", counter_->compactions}};
  }

 private:
  std::filesystem::path directory_;
  std::shared_ptr<BackgroundCounter> counter_ = std::make_shared<BackgroundCounter>();
  rocksdb::Options options_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

EngineKind rocksdb_kind() {
  return {.name = "rocksdb",
          .version = rocksdb::GetRocksVersionAsString(),
          .terms = "sync = true; no compression; Bloom filter; 1 GiB block cache; bulk load: sorted, one ingested file",
          .open = [](const std::filesystem::path& directory) -> std::unique_ptr<Engine> {
            return std::make_unique<RocksdbEngine>(directory);
          }};
}

}  // namespace holdfast::bench
