#include "db/environment.hpp"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/resource.h>

#include <cerrno>
#include <utility>

#include "db/lmdb_error.hpp"
#include "db/registry.hpp"
#include "db/transient_directory.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint64_t smallest_reserve_bytes = std::uint64_t{64} << 10;
constexpr const char* default_memory_directory = "/dev/shm";
constexpr unsigned own_tables = 4;  // holdfast, holdfast.meta, holdfast.expiry and holdfast.feed

/// The process shares these: what a later handle asks for must be what the environment has.
void require_same(const DatabaseOptions& open, const DatabaseOptions& asked, const std::filesystem::path& path) {
  const auto refuse = [&](std::string problem) {
    throw StateError({.state = State::mismatched, .where = path.string(), .problem = std::move(problem)});
  };
  const auto compare = [&](const char* field, std::uint64_t has, std::uint64_t wants) {
    if (has != wants)
      refuse(std::string(field) + ": this process has the store open with " + std::to_string(has) + ", not " +
             std::to_string(wants));
  };
  compare("map_reserve_bytes", open.map_reserve_bytes, asked.map_reserve_bytes);
  const auto microseconds = [](std::chrono::microseconds wait) { return static_cast<std::uint64_t>(wait.count()); };
  compare("group_wait", microseconds(open.group_wait), microseconds(asked.group_wait));
  compare("max_readers", open.max_readers, asked.max_readers);
  compare("max_tables", open.max_tables, asked.max_tables);
  if (open.access == Access::read_only && asked.access == Access::read_write)
    refuse("access: this process has the store open for reading only");
}

/// Throws, or everything is ready for an opening.
void require_usable(const DatabaseOptions& options) {
  if (options.path.empty()) throw OptionError({.option = "path", .problem = "is empty"});
  if (options.map_reserve_bytes < smallest_reserve_bytes)
    throw OptionError(
        {.option = "map_reserve_bytes", .problem = "is below " + std::to_string(smallest_reserve_bytes) + " bytes"});
  if (options.max_readers == 0) throw OptionError({.option = "max_readers", .problem = "is 0"});
  if (options.max_tables > limits::max_tables)
    throw OptionError({.option = "max_tables", .problem = "is above " + std::to_string(limits::max_tables)});
  if (options.busy_timeout < std::chrono::milliseconds::zero())
    throw OptionError({.option = "busy_timeout", .problem = "is negative"});
  if (options.group_wait < std::chrono::microseconds::zero())
    throw OptionError({.option = "group_wait", .problem = "is negative"});
  if (!options.clock) throw OptionError({.option = "clock", .problem = "is null"});
  if (!options.entropy) throw OptionError({.option = "entropy", .problem = "is null"});
  int major = 0, minor = 0, patch = 0;
  mdb_version(&major, &minor, &patch);
  require_known_lmdb(major, minor, patch);
  guard_forks();
}

}  // namespace

void require_known_lmdb(int major, int minor, int patch) {
  if (major == 0 && minor == 9) return;
  throw UnsupportedError({.capability = "liblmdb " + std::to_string(major) + "." + std::to_string(minor) + "." +
                                        std::to_string(patch) + " (0.9 is)",
                          .where = "the LMDB library of this process"});
}

MapFull::MapFull(const std::filesystem::path& path, std::uint64_t map_bytes, std::uint64_t wanted_bytes)
    : LimitError({.limit = "map_reserve_bytes",
                  .maximum = map_bytes,
                  .actual = map_bytes + wanted_bytes,
                  .unit = "bytes",
                  .where = path.string()}) {}

void CloseEnvironment::operator()(MDB_env* environment) const noexcept {
  mdb_env_close(environment);
}

std::shared_ptr<Environment> Environment::open(const DatabaseOptions& options, const std::shared_ptr<FileOps>& ops) {
  require_usable(options);
  const auto path = StoreDirectory::resolve(options, ops);
  Registry& registry = Registry::instance();
  auto lock = registry.lock();
  if (const auto identity = StoreDirectory::identify(path, *ops)) {
    if (auto open = registry.find(lock, *identity)) {
      lock.unlock();  // by now nobody else may have it: refused, it is closed, and that takes the lock
      require_same(open->shared_, options, path);
      return open;
    }
  }
  const FileStatus lock_table = status_of(*ops, path / "lock.mdb");
  if (lock_table.kind != FileKind::absent && registry.uses(lock, {lock_table.device, lock_table.inode}))
    throw StateError({.state = State::in_use,
                      .where = path.string(),
                      .problem = "data.mdb was replaced while this process has the store open"});
  return open_first(lock, options, StoreDirectory(path, options, ops), Medium::disk);
}

std::shared_ptr<Environment> Environment::open_in_memory(DatabaseOptions options, const std::shared_ptr<FileOps>& ops) {
  if (options.path.empty()) options.path = default_memory_directory;
  require_usable(options);
  if (options.access == Access::read_only)
    throw OptionError({.option = "access", .problem = "a store in memory begins empty: it must be written to"});
  const TransientDirectory directory(ops, real_path(*ops, options.path), "holdfast-memory-", *options.entropy);
  options.path = directory.path();
  options.path = StoreDirectory::resolve(options, ops);
  const auto lock = Registry::instance().lock();
  return open_first(lock, options, StoreDirectory(options.path, options, ops), Medium::memory);
}

std::shared_ptr<Environment> Environment::open_first(const Registry::Lock& lock, const DatabaseOptions& options,
                                                     StoreDirectory directory, Medium medium) {
  const std::shared_ptr<Environment> opened(new Environment(options, std::move(directory), medium),
                                            [](Environment* last) { close(std::unique_ptr<Environment>(last)); });
  opened->read_meta();
  Registry::instance().add(lock, opened->directory_.identity(), opened->lock_table_.identity(), opened);
  opened->registered_ = true;
  return opened;
}

void Environment::close(std::unique_ptr<Environment> last) noexcept {
  if (last->forked()) return leave_to_parent(last.release());
  if (!last->registered_) return;  // an opening that failed, still under the registry's lock
  const StoreIdentity identity = last->directory_.identity();
  if (last->abandoned_ != nullptr && last->abandoned_by_ != std::this_thread::get_id()) {
    Registry::instance().keep(identity, std::move(last));
    return;
  }
  if (last->abandoned_ != nullptr) mdb_txn_abort(last->abandoned_);
  Registry::instance().close(identity, std::move(last));
}

Environment::Environment(const DatabaseOptions& options, StoreDirectory directory, Medium medium)
    : directory_(std::move(directory)), readers_(options.max_readers), shared_(options), medium_(medium) {
  static std::atomic<std::uint64_t> opened{0};
  serial_ = ++opened;
  open_lmdb(options);
}

Environment::~Environment() = default;

void Environment::open_lmdb(const DatabaseOptions& options) {
  const unsigned access = options.access == Access::read_only ? MDB_RDONLY : 0U;
  const unsigned syncing = in_memory() ? MDB_NOSYNC : 0U;
  const unsigned counting = directory_.counts_readers() ? 0U : MDB_NOLOCK;
  for (std::uint64_t bytes = options.map_reserve_bytes;; bytes /= 2) {
    MDB_env* created = nullptr;
    require_lmdb(mdb_env_create(&created), "mdb_env_create", path());
    lmdb_.reset(created);
    require_lmdb(mdb_env_set_maxdbs(created, options.max_tables + own_tables), "mdb_env_set_maxdbs", path());
    require_lmdb(mdb_env_set_maxreaders(created, options.max_readers), "mdb_env_set_maxreaders", path());
    require_lmdb(mdb_env_set_mapsize(created, bytes), "mdb_env_set_mapsize", path());
    const int result =
        mdb_env_open(created, path().c_str(), access | syncing | counting | MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (result == 0) break;
    const bool refused = result == ENOMEM && bytes / 2 >= smallest_reserve_bytes;
    if (!refused) require_lmdb(result, "mdb_env_open", path());
    lmdb_.reset();
  }
  MDB_envinfo info{};
  require_lmdb(mdb_env_info(lmdb_.get(), &info), "mdb_env_info", path());
  map_.set_granted(info.me_mapsize);

  int data = -1;
  require_lmdb(mdb_env_get_fd(lmdb_.get(), &data), "mdb_env_get_fd", path());
  FileStatus mapped;
  const int known = directory_.ops()->status_of(data, mapped);
  if (known < 0) throw IoError({.operation = "stat", .path = path() / "data.mdb", .error_number = -known});
  if (StoreIdentity(mapped.device, mapped.inode) != directory_.identity())
    throw StateError({.state = State::in_use,
                      .where = path().string(),
                      .problem = "data.mdb was replaced while it was being opened"});

  if (!directory_.counts_readers()) return;
  lock_table_ = LockTable(directory_, lmdb_.get());
  int dead_readers = 0;
  require_lmdb(mdb_reader_check(lmdb_.get(), &dead_readers), "mdb_reader_check", path());
}

void Environment::read_meta() {
  ReadBase txn(shared_from_this(), shared_);
  const auto open_table = [&](const char* name) {
    LmdbHandle handle = 0;
    const int result = mdb_dbi_open(txn.raw(), name, 0, &handle);
    if (result == MDB_NOTFOUND || result == MDB_INCOMPATIBLE)
      throw StateError({.state = State::foreign,
                        .where = path().string(),
                        .problem = std::string("an LMDB file without ") + name + ": not a holdfast store"});
    require_lmdb(result, "mdb_dbi_open", path());
    return handle;
  };
  meta_handle_ = open_table(meta_table_name);
  backend_handle_ = open_table(backend_table_name);
  meta_ = read_store_meta(LmdbView(lent(txn), meta_handle_), path());
  txn.commit();
}

void Environment::poison(std::string reason) noexcept {
  const std::lock_guard lock(poison_mutex_);
  if (poisoned_.load()) return;
  poison_reason_ = std::move(reason);
  poisoned_.store(true);
}

void Environment::abandon(MDB_txn* txn, std::thread::id owner) noexcept {
  poison("a write transaction was destroyed on a thread that did not begin it");
  abandoned_ = txn;
  abandoned_by_ = owner;
}

void Environment::throw_forked() const {
  throw StateError({.state = State::forked,
                    .where = path().string(),
                    .problem = "opened by the process that this one was forked from; open the store anew"});
}

void Environment::require_sound() const {
  require_own_process();
  if (!poisoned_.load()) return;
  const std::lock_guard lock(poison_mutex_);
  throw StateError({.state = State::poisoned, .where = path().string(), .problem = poison_reason_});
}

void Environment::require_written(int result, const char* operation, std::uint64_t value_bytes) const {
  if (result == MDB_MAP_FULL) throw MapFull(path(), map_.bytes(), value_bytes + 1);
  if (result == MDB_TXN_FULL)
    throw LimitError({.limit = "pages of one transaction",
                      .maximum = 1U << 17U,
                      .actual = (1U << 17U) + 1ULL,
                      .unit = "pages",
                      .where = path().string()});
  if (const int refused = lack_of_room(result))
    throw IoError({.operation = operation, .path = path() / "data.mdb", .error_number = refused});
  require_lmdb(result, operation, path());
}

void Environment::require_committed(int result) {
  if (result == 0) return;
  const bool refused = result == MDB_MAP_FULL || result == MDB_TXN_FULL || result == MDB_BAD_TXN || result == ENOMEM ||
                       lack_of_room(result) != 0;
  if (!refused) poison(std::string("a commit failed: ") + mdb_strerror(result));
  require_written(result, "commit");
}

int Environment::lack_of_room(int result) const {
  if (result == ENOSPC || result == EDQUOT || result == EFBIG) return result;
  if (result != EIO) return 0;
  // LMDB reports a short write as EIO.
  FileSystemStatus disk;
  FileStatus data;
  const int fd = directory_.data().fd();
  if (directory_.ops()->file_system_of(fd, disk) >= 0 && disk.available_bytes == 0) return ENOSPC;
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  if (limited && directory_.ops()->status_of(fd, data) >= 0 && data.size_bytes >= limit.rlim_cur) return EFBIG;
  return 0;
}

std::uint64_t Environment::last_commit() {
  ReaderSlot* const slot = readers_.enter();  // LMDB reads it from the map
  if (slot == nullptr) require_sound();
  MDB_envinfo info{};
  const int result = mdb_env_info(lmdb_.get(), &info);
  readers_.leave(*slot);
  require_lmdb(result, "mdb_env_info", path());
  return info.me_last_txnid;
}

bool Environment::free_reader_slots() {
  int dead = 0;
  require_lmdb(mdb_reader_check(lmdb_.get(), &dead), "mdb_reader_check", path());
  return readers_.end_idle() || dead > 0;
}

void Environment::flush() {
  require_sound();
  if (shared_.access == Access::read_only) return;
  const int result = mdb_env_sync(lmdb_.get(), 1);
  if (result != 0) poison(std::string("a sync failed: ") + mdb_strerror(result));
  require_lmdb(result, "sync", path() / "data.mdb");
  count_sync();
}

}  // namespace holdfast::detail
