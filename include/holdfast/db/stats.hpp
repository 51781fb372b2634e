#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace holdfast {

/// A reader; in StoreStats that, of all processes, whose snapshot is the oldest. Pages freed after it cannot be used
/// again while it lives, so a store grows with every commit under one that is forgotten.
struct OldestReader {
  std::uint64_t snapshot = 0;  ///< number of the commit it sees
  std::uint64_t commits = 0;   ///< how many there were since: its age, of readers of all processes
  std::int64_t process_id = 0;
  /// Its age in time, if it is of this process; of a single get, since it was first looked at.
  std::optional<std::chrono::nanoseconds> age{};
};

/// A store in figures, at one moment. *Process*: of this process's opening of it, all handles together.
struct StoreStats {
  std::uint64_t map_bytes = 0;   ///< address space, *process*. O(1)
  std::uint64_t file_bytes = 0;  ///< size of data.mdb. One system call
  std::uint64_t free_bytes = 0;  ///< of the file, to be used again. O(commits whose freed pages are kept)
  unsigned depth = 0;            ///< of the deepest tree, in pages. O(tables)
  unsigned readers = 0;          ///< that read now, all processes. O(reader slots in use), as the next two
  unsigned reader_slots = 0;     ///< taken of `max_readers`, by readers and for the next ones, all processes
  std::optional<OldestReader> oldest_reader{};  ///< nullopt when nobody reads
  std::uint64_t commits = 0;                    ///< since the store was made, all processes. O(1), as all that follow
  std::uint64_t growths = 0;                    ///< how often the map was replaced by a larger one, *process*
  std::uint64_t syncs = 0;                      ///< commits and flushes that waited for the disk, *process*
  std::uint64_t groups = 0;          ///< shared commits, of writes of the LMDB backend and of KvStores, *process*
  std::uint64_t grouped_writes = 0;  ///< writes in those: more, where writes that came at once shared a commit
  std::uint64_t largest_group = 0;   ///< most writes in one
};

}  // namespace holdfast
