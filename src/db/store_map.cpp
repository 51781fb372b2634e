#include "db/store_map.hpp"

#include <lmdb.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <thread>

#include "db/environment.hpp"
#include "db/lmdb_error.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// After how long those who wait at the gate are let in: one may have its first reader inside while it waits with a
/// second.
constexpr std::chrono::milliseconds round_length{50};
constexpr std::chrono::microseconds between_looks{50};
constexpr std::uint64_t smallest_step_bytes = std::uint64_t{1} << 20;

/// What the file needs of the map.
std::uint64_t needed_bytes(MDB_env* lmdb) {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(lmdb, &info);
  mdb_env_stat(lmdb, &stat);
  return (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
}

}  // namespace

void StoreMap::grow(std::uint64_t wanted_bytes, const Deadline& deadline) {
  const auto alone = turn(deadline);
  environment_.require_sound();
  const std::uint64_t least = bytes() + std::max({wanted_bytes, bytes(), smallest_step_bytes});
  if (!empty(deadline)) throw_full(least, "readers of this process did not end in time for the map to grow");
  resize(least);
}

void StoreMap::adopt(const Deadline& deadline) {
  const auto alone = turn(deadline);
  environment_.require_sound();
  // Only here is the map replaced, so it can be looked at without being inside. With a writer of ours inside it
  // suffices: that one has seen the end of the file.
  std::uint64_t needed = needed_bytes(environment_.raw());
  if (needed <= bytes()) return;
  if (!empty(deadline))
    throw_full(needed, "another process has grown the store, and readers of this one did not end in time");
  needed = needed_bytes(environment_.raw());
  std::uint64_t enough = bytes();
  while (enough < needed) enough *= 2;
  resize(std::max(enough, bytes() + smallest_step_bytes));
}

std::unique_lock<std::mutex> StoreMap::turn(const Deadline& deadline) {
  std::unique_lock alone(resizing_, std::try_to_lock);
  while (!alone) {
    if (deadline.has_passed()) throw_full(bytes() + 1, "another thread did not finish replacing the map in time");
    std::this_thread::sleep_for(between_looks);
    static_cast<void>(alone.try_lock());
  }
  return alone;
}

bool StoreMap::empty(const Deadline& deadline) {
  ReaderSlots& users = environment_.readers();
  const auto clock = system_clock();  // the deadline's may stand still
  users.close_gate();
  for (auto round_began = clock->steady_now(); !users.empty();) {
    if (deadline.has_passed()) {
      users.open_gate();
      return false;
    }
    if (const auto now = clock->steady_now(); now - round_began >= round_length) {
      users.admit_waiting();
      round_began = now;
    }
    std::this_thread::sleep_for(between_looks);
  }
  return true;
}

std::uint64_t StoreMap::granted(std::uint64_t least_bytes) const {
  int data = -1;
  require_lmdb(mdb_env_get_fd(environment_.raw(), &data), "mdb_env_get_fd", environment_.path());
  // LMDB unmaps the old size before it maps the new one, and cannot go back: so the system is asked beforehand.
  for (std::uint64_t step = least_bytes - bytes(); step >= smallest_step_bytes; step /= 2) {
    void* const probe = ::mmap(nullptr, bytes() + step, PROT_READ, MAP_SHARED, data, 0);
    if (probe == MAP_FAILED) continue;
    ::munmap(probe, bytes() + step);
    return bytes() + step;
  }
  throw_full(least_bytes, "the system does not grant more address space");
}

void StoreMap::resize(std::uint64_t bytes) {
  try {
    bytes = granted(bytes);
  } catch (...) {
    environment_.readers().open_gate();
    throw;
  }
  const int result = mdb_env_set_mapsize(environment_.raw(), bytes);
  if (result != 0) {
    environment_.poison(std::string("its map is lost: ") + mdb_strerror(result));
    environment_.readers().shut_gate();
    environment_.require_sound();
  }
  MDB_envinfo info{};
  mdb_env_info(environment_.raw(), &info);
  bytes_ = info.me_mapsize;
  ++growths_;
  environment_.readers().open_gate();
}

void StoreMap::throw_full(std::uint64_t wanted_bytes, const char* why) const {
  throw LimitError({.limit = "map_reserve_bytes",
                    .maximum = bytes(),
                    .actual = wanted_bytes,
                    .unit = "bytes",
                    .where = environment_.path().string() + ": " + why});
}

}  // namespace holdfast::detail
