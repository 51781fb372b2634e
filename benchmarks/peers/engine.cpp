#include "peers/engine.hpp"

#include <algorithm>
#include <stdexcept>

namespace holdfast::bench {

const std::vector<EngineKind>& engine_kinds() {
  static const std::vector<EngineKind> kinds = [] {
    std::vector<EngineKind> built = {lmdb_kind(), holdfast_table_kind(), holdfast_backend_kind()};
#ifdef HOLDFAST_BENCH_ROCKSDB
    built.push_back(rocksdb_kind());
#endif
#ifdef HOLDFAST_BENCH_LEVELDB
    built.push_back(leveldb_kind());
#endif
#ifdef HOLDFAST_BENCH_SQLITE
    built.push_back(sqlite_kind());
#endif
    built.push_back(lmdb_kind());
    built.back().name = "lmdb_again";
    return built;
  }();
  return kinds;
}

const EngineKind& engine_kind(const std::string& name) {
  static const EngineKind eager = holdfast_backend_eager_kind();
  if (name == eager.name) return eager;
  for (const auto& kind : engine_kinds()) {
    if (kind.name == name) return kind;
  }
  throw std::invalid_argument("no engine of this name was built: " + name);
}

SortedRows::SortedRows(RowSource next, Arrival arrival) {
  constexpr std::size_t block_bytes = std::size_t{1} << 20U;
  std::size_t left = 0;
  std::byte* free = nullptr;
  const auto keep = [&](ByteView bytes) {
    std::byte* const begin = free;
    free = std::copy(bytes.begin(), bytes.end(), free);
    return ByteView(begin, bytes.size());
  };
  for (Row row; next(row);) {
    const std::size_t need = row.key.size() + row.value.size();
    if (need > left) {
      left = std::max(need, block_bytes);
      blocks_.push_back(std::unique_ptr<std::byte[]>(new std::byte[left]));
      free = blocks_.back().get();
    }
    left -= need;
    rows_.push_back({.key = keep(row.key), .value = keep(row.value)});
  }
  if (arrival == Arrival::key_order) return;
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return as_text(a.key) < as_text(b.key); });
}

void load_in_batches(Session& session, RowSource next, Arrival arrival, std::size_t batch_rows) {
  const SortedRows sorted(next, arrival);
  for (auto left = sorted.rows(); !left.empty();) {
    const auto batch = left.first(std::min(batch_rows, left.size()));
    session.put_batch(batch);
    left = left.subspan(batch.size());
  }
}

void fail(const std::string& what, const std::string& reason) {
  throw std::runtime_error(what + ": " + reason);
}

}  // namespace holdfast::bench
