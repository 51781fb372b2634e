// holdfast's LMDB backend: what tiers, logs and state graphs stand on.
#include <chrono>

#include "holdfast/backend/lmdb.hpp"
#include "peers/engine.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t load_batch_rows = 100'000;

class BackendEngineSnapshot final : public Snapshot {
 public:
  explicit BackendEngineSnapshot(const LmdbBackend& backend) : snapshot_(backend.snapshot()) {}
  bool get(ByteView key, UseValue use) override { return snapshot_->view(as_text(key), use); }
  /// From beyond `from`: no key of the workloads is a place where a scan begins.
  void scan(ByteView from, std::uint64_t limit, UseRow use) override {
    ScanOptions options = {.limit = limit};
    if (!from.empty()) options.after = to_text(from);
    for (const Entry& entry : snapshot_->scan(std::move(options))) {
      use({.key = as_bytes(entry.key), .value = entry.value});
    }
  }

 private:
  std::unique_ptr<const BackendSnapshot> snapshot_;
};

class BackendSession final : public Session {
 public:
  explicit BackendSession(LmdbBackend& backend) : backend_(backend) {}
  void put(const Row& row) override { backend_.write(as_text(row.key), row.value); }
  void put_batch(std::span<const Row> rows) override {
    WriteBatch batch;
    for (const Row& row : rows) batch.put(as_text(row.key), row.value);
    backend_.apply(batch);
  }
  void erase_batch(std::span<const ByteView> keys) override {
    WriteBatch batch;
    for (const ByteView key : keys) batch.erase(as_text(key));
    backend_.apply(batch);
  }
  bool get(ByteView key, UseValue use) override { return backend_.view(as_text(key), use); }
  bool get_copy(ByteView key, Bytes& value) override {
    auto found = backend_.read(as_text(key));
    if (found) value = std::move(*found);
    return found.has_value();
  }
  std::unique_ptr<Snapshot> snapshot() override { return std::make_unique<BackendEngineSnapshot>(backend_); }

 private:
  LmdbBackend& backend_;
};

class BackendEngine final : public Engine {
 public:
  BackendEngine(const std::filesystem::path& directory, std::chrono::microseconds group_wait)
      : backend_({.path = directory / "store", .busy_timeout = std::chrono::minutes(1), .group_wait = group_wait}) {}
  std::unique_ptr<Session> session() override { return std::make_unique<BackendSession>(backend_); }
  void bulk_load(RowSource next, Arrival arrival) override {
    BackendSession session(backend_);
    load_in_batches(session, next, arrival, load_batch_rows);
  }

 private:
  LmdbBackend backend_;
};

}  // namespace

EngineKind holdfast_backend_kind() {
  return {.name = "holdfast_backend",
          .version = HOLDFAST_BENCH_VERSION,
          .terms = "synced; LmdbBackend; bulk load: sorted, batches of 100,000",
          .open = [](const std::filesystem::path& directory) -> std::unique_ptr<Engine> {
            return std::make_unique<BackendEngine>(directory, LmdbOptions{}.group_wait);
          }};
}

EngineKind holdfast_backend_eager_kind() {
  return {.name = "holdfast_backend_eager",
          .version = HOLDFAST_BENCH_VERSION,
          .terms = "as holdfast_backend; a commit waits for no other writer to join it",
          .open = [](const std::filesystem::path& directory) -> std::unique_ptr<Engine> {
            return std::make_unique<BackendEngine>(directory, std::chrono::microseconds(0));
          }};
}

}  // namespace holdfast::bench
