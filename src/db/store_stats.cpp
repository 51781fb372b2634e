#include "db/store_stats.hpp"

#include <lmdb.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string>

#include "db/environment.hpp"
#include "db/lmdb_error.hpp"
#include "db/transaction_tables.hpp"

namespace holdfast::detail {
namespace {

/// A line of mdb_reader_list: process, thread, and the snapshot, or "-" where the slot is idle; or a heading.
int count_line(const char* line, void* context) {
  auto& census = *static_cast<ReaderCensus*>(context);
  std::istringstream words(line);
  std::int64_t process = 0;
  std::string thread;
  std::uint64_t snapshot = 0;
  if (!(words >> process >> thread)) return 0;
  ++census.slots;
  if (!(words >> snapshot)) return 0;
  ++census.readers;
  const bool first = !census.oldest || snapshot < census.oldest->snapshot;
  const bool ours = process == ::getpid();  // of two that are equal, the one whose age in time is known
  if (first || (ours && snapshot == census.oldest->snapshot))
    census.oldest = OldestReader{.snapshot = snapshot, .process_id = process};
  return 0;
}

/// Of LMDB's list of free pages each entry is a count, and the numbers of as many pages.
std::uint64_t free_pages(const ReadBase& txn) {
  constexpr LmdbHandle free_list = 0;
  std::uint64_t pages = 0;
  const auto cursor = LmdbView(lent(txn), free_list).cursor();
  for (auto item = cursor->seek({}); item; item = cursor->next()) {
    std::uint64_t count = 0;
    std::memcpy(&count, item->value.data(), std::min(item->value.size(), sizeof count));
    pages += count;
  }
  return pages;
}

unsigned depth_of(const ReadBase& txn, LmdbHandle handle) {
  MDB_stat stat{};
  require_lmdb(mdb_stat(txn.raw(), handle, &stat), "mdb_stat", txn.environment()->path());
  return stat.ms_depth;
}

}  // namespace

ReaderCensus count_readers(Environment& environment) {
  environment.require_sound();
  ReaderCensus census;
  const int listed = mdb_reader_list(environment.raw(), count_line, &census);
  if (listed < 0) throw_lmdb(listed, "mdb_reader_list", environment.path());
  if (!census.oldest) return census;
  OldestReader& oldest = *census.oldest;
  oldest.commits = std::max(environment.last_commit(), oldest.snapshot) - oldest.snapshot;
  if (oldest.process_id != ::getpid()) return census;
  const auto now = environment.options().clock->steady_now();
  for (const SeenReader& reader : environment.readers().look(now))
    if (reader.snapshot == oldest.snapshot)
      oldest.age = std::max(oldest.age.value_or(reader.age(now)), reader.age(now));
  return census;
}

StoreStats read_stats(const std::shared_ptr<Environment>& environment, const DatabaseOptions& options) {
  const ReaderCensus census = count_readers(*environment);
  std::optional<ReadBase> txn;
  const auto index = begin_indexed(environment, [&]() -> ReadBase& { return txn.emplace(environment, options); });
  MDB_stat main{};
  require_lmdb(mdb_env_stat(environment->raw(), &main), "mdb_env_stat", environment->path());
  unsigned depth = std::max(main.ms_depth, depth_of(*txn, environment->backend_table()));
  for (const IndexedTable& table : index->tables()) depth = std::max(depth, depth_of(*txn, table.handle));

  StoreMap& map = environment->map();
  const GroupCounts groups = environment->group_commit().counts();
  return {.map_bytes = map.bytes(),
          .file_bytes = environment->data().status().size_bytes,
          .free_bytes = free_pages(*txn) * main.ms_psize,
          .depth = depth,
          .readers = census.readers,
          .reader_slots = census.slots,
          .oldest_reader = census.oldest,
          .commits = mdb_txn_id(txn->raw()),
          .growths = map.growths(),
          .syncs = environment->syncs(),
          .groups = groups.groups,
          .grouped_writes = groups.members,
          .largest_group = groups.largest};
}

}  // namespace holdfast::detail
