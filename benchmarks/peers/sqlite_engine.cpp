// SQLite: WAL, synchronous = FULL, one table WITHOUT ROWID keyed by a blob; a connection per thread, statements
// prepared once; page cache and memory map hold the whole set.
#include <sqlite3.h>

#include <atomic>

#include "peers/engine.hpp"

namespace holdfast::bench {
namespace {

constexpr int checkpoint_pages = 1'000;  // SQLite's own default
constexpr int busy_timeout_ms = 60'000;

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr), sql);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int place, ByteView bytes) {
    const void* const begin = bytes.empty() ? "" : static_cast<const void*>(bytes.data());  // a null pointer binds NULL
    check(sqlite3_bind_blob(statement_, place, begin, static_cast<int>(bytes.size()), SQLITE_STATIC), "bind");
    return *this;
  }
  Statement& bind(int place, std::int64_t number) {
    check(sqlite3_bind_int64(statement_, place, number), "bind");
    return *this;
  }
  /// Whether there is a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) check(code, "sqlite3_step");
    return false;
  }
  void reset() { check(sqlite3_reset(statement_), "sqlite3_reset"); }
  void run() {
    while (step()) {
    }
    reset();
  }
  [[nodiscard]] ByteView column(int place) {
    const auto* const bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, place));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, place))};
  }

 private:
  void check(int code, const char* what) const {
    if (code != SQLITE_OK) fail(what, sqlite3_errmsg(db_));
  }
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

class Connection {
 public:
  Connection(const std::filesystem::path& file, std::atomic<std::uint64_t>& checkpoints) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) fail("sqlite3_open", file);
    sqlite3_busy_timeout(db_, busy_timeout_ms);
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
    execute("PRAGMA cache_size = -1048576");
    execute("PRAGMA mmap_size = 1073741824");
    // What sqlite3_wal_autocheckpoint installs, and counted.
    sqlite3_wal_hook(
        db_,
        [](void* counter, sqlite3* db, const char* name, int pages) -> int {
          if (pages < checkpoint_pages) return SQLITE_OK;
          ++*static_cast<std::atomic<std::uint64_t>*>(counter);
          sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
          return SQLITE_OK;
        },
        &checkpoints);
  }
  ~Connection() { sqlite3_close(db_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void execute(const char* sql) const {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql, sqlite3_errmsg(db_));
  }
  [[nodiscard]] sqlite3* get() const noexcept { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

class SqliteSession final : public Session {
 public:
  SqliteSession(const std::filesystem::path& file, std::atomic<std::uint64_t>& checkpoints) : db_(file, checkpoints) {}

  void put(const Row& row) override { put_.bind(1, row.key).bind(2, row.value).run(); }
  void put_batch(std::span<const Row> rows) override {
    begin_write();
    for (const Row& row : rows) put(row);
    end();
  }
  void erase_batch(std::span<const ByteView> keys) override {
    begin_write();
    for (const ByteView key : keys) erase_.bind(1, key).run();
    end();
  }
  bool get(ByteView key, UseValue use) override {
    const bool found = get_.bind(1, key).step();
    if (found) use(get_.column(0));
    get_.reset();
    return found;
  }
  void scan(ByteView from, std::uint64_t limit, UseRow use) {
    scan_.bind(1, from).bind(2, static_cast<std::int64_t>(limit));
    while (scan_.step()) use({.key = scan_.column(0), .value = scan_.column(1)});
    scan_.reset();
  }
  void load(RowSource next, Arrival arrival) {
    const SortedRows sorted(next, arrival);
    put_batch(sorted.rows());
  }
  std::unique_ptr<Snapshot> snapshot() override;

  void begin_read() { begin_.run(); }
  void begin_write() { begin_immediate_.run(); }
  void end() { commit_.run(); }

 private:
  Connection db_;
  Statement begin_{db_.get(), "BEGIN"};
  Statement begin_immediate_{db_.get(), "BEGIN IMMEDIATE"};
  Statement commit_{db_.get(), "COMMIT"};
  Statement put_{db_.get(), "INSERT OR REPLACE INTO row(key, value) VALUES(?, ?)"};
  Statement erase_{db_.get(), "DELETE FROM row WHERE key = ?"};
  Statement get_{db_.get(), "SELECT value FROM row WHERE key = ?"};
  Statement scan_{db_.get(), "SELECT key, value FROM row WHERE key >= ? ORDER BY key LIMIT ?"};
};

class SqliteSnapshot final : public Snapshot {
 public:
  explicit SqliteSnapshot(SqliteSession& session) : session_(session) { session_.begin_read(); }
  ~SqliteSnapshot() override { session_.end(); }
  SqliteSnapshot(const SqliteSnapshot&) = delete;
  SqliteSnapshot& operator=(const SqliteSnapshot&) = delete;
  bool get(ByteView key, UseValue use) override { return session_.get(key, use); }
  void scan(ByteView from, std::uint64_t limit, UseRow use) override { session_.scan(from, limit, use); }

 private:
  SqliteSession& session_;
};

std::unique_ptr<Snapshot> SqliteSession::snapshot() {
  return std::make_unique<SqliteSnapshot>(*this);
}

class SqliteEngine final : public Engine {
 public:
  explicit SqliteEngine(const std::filesystem::path& directory)
      : file_(directory / "rows.sqlite"), first_(file_, checkpoints_) {
    first_.execute("CREATE TABLE IF NOT EXISTS row(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID");
  }
  std::unique_ptr<Session> session() override { return std::make_unique<SqliteSession>(file_, checkpoints_); }
  void bulk_load(RowSource next, Arrival arrival) override { SqliteSession(file_, checkpoints_).load(next, arrival); }
  std::map<std::string, std::uint64_t> background_work() override { return {{"checkpoints", checkpoints_}}; }

 private:
  std::filesystem::path file_;
  std::atomic<std::uint64_t> checkpoints_ = 0;
  Connection first_;
};

}  // namespace

EngineKind sqlite_kind() {
  return {.name = "sqlite",
          .version = sqlite3_libversion(),
          .terms = "WAL, synchronous = FULL, WITHOUT ROWID; 1 GiB cache and map; bulk load: sorted, one transaction",
          .open = [](const std::filesystem::path& directory) -> std::unique_ptr<Engine> {
            return std::make_unique<SqliteEngine>(directory);
          }};
}

}  // namespace holdfast::bench
