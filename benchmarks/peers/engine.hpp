#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/function_ref.hpp"

/// What every engine is asked to do, in the same words. One adapter per file beside this one; nothing else links them.
namespace holdfast::bench {

struct Row {
  ByteView key{};
  ByteView value{};
};

/// Hands out the next row; false at the end. What it lends lives until the next call.
using RowSource = FunctionRef<bool(Row&)>;
using UseValue = FunctionRef<void(ByteView)>;
using UseRow = FunctionRef<void(const Row&)>;

enum class Arrival { any_order, key_order };

/// One long read transaction. It must not outlive its session.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual bool get(ByteView key, UseValue use) = 0;
  /// Lends at most `limit` rows from the first key at or above `from`, ascending.
  virtual void scan(ByteView from, std::uint64_t limit, UseRow use) = 0;
};

/// One thread's way into an open store. Every write is durable, and whole, when the call returns.
class Session {
 public:
  virtual ~Session() = default;
  virtual void put(const Row& row) = 0;
  virtual void put_batch(std::span<const Row> rows) = 0;
  /// Each row a write of its own, in the order given, all in flight at once and durable when the call returns. False,
  /// with nothing done, where an engine has no such way.
  virtual bool put_in_flight(std::span<const Row> /*rows*/) { return false; }
  virtual void erase_batch(std::span<const ByteView> keys) = 0;
  /// In a transaction of its own; the value is lent to `use`. False when absent.
  virtual bool get(ByteView key, UseValue use) = 0;
  /// The same into bytes of the caller's own.
  virtual bool get_copy(ByteView key, Bytes& value) {
    return get(key, [&](ByteView lent) { value.assign(lent.begin(), lent.end()); });
  }
  virtual std::unique_ptr<Snapshot> snapshot() = 0;
};

/// An open store, shared by the sessions of its threads, which it must outlive.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::unique_ptr<Session> session() = 0;
  /// Fills the empty store by the fastest way the engine has; durable when it returns.
  virtual void bulk_load(RowSource next, Arrival arrival) = 0;
  /// What it did behind the user's back since it was opened: "checkpoints", "compactions".
  virtual std::map<std::string, std::uint64_t> background_work() { return {}; }
};

/// A kind of engine: how it is called, on what terms it runs here, and how its store is opened or made.
struct EngineKind {
  std::string name{};
  std::string version{};
  std::string terms{};
  std::unique_ptr<Engine> (*open)(const std::filesystem::path& directory) = nullptr;
};

/// Those that were built, raw LMDB first and again at the end as the noise control.
const std::vector<EngineKind>& engine_kinds();
/// One of these, or holdfast_backend_eager, which only a promise asks for. Throws std::invalid_argument for a name that
/// was not built.
const EngineKind& engine_kind(const std::string& name);

EngineKind lmdb_kind();
EngineKind holdfast_table_kind();
EngineKind holdfast_backend_kind();
EngineKind holdfast_backend_eager_kind();
EngineKind rocksdb_kind();
EngineKind leveldb_kind();
EngineKind sqlite_kind();

/// Copies of all rows of a source, sorted by key: what an engine that loads best in order does with the rest.
class SortedRows {
 public:
  SortedRows(RowSource next, Arrival arrival);
  [[nodiscard]] std::span<const Row> rows() const noexcept { return rows_; }

 private:
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::vector<Row> rows_;
};

/// The sorted rows through put_batch: for engines that load best so.
void load_in_batches(Session& session, RowSource next, Arrival arrival, std::size_t batch_rows);

/// Throws std::runtime_error with `what` and the engine's own words.
[[noreturn]] void fail(const std::string& what, const std::string& reason);

}  // namespace holdfast::bench
