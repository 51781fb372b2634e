#include <lmdb.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "db/environment.hpp"
#include "db/fork_guard.hpp"
#include "db/lmdb_error.hpp"
#include "db/lmdb_txn.hpp"
#include "db/read_ahead.hpp"

namespace holdfast::detail {
namespace {

ByteView as_view(const MDB_val& value) noexcept {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

constexpr std::uint64_t long_scan = 256;  // entries; a shorter one reads no more than it must

class LmdbCursor final : public OrderedCursor {
 public:
  LmdbCursor(std::shared_ptr<const LmdbTxn> txn, LmdbHandle handle) : txn_(std::move(txn)) {
    require_lmdb(mdb_cursor_open(txn_->raw(), handle, &cursor_), "mdb_cursor_open", txn_->environment()->path());
    write_ = dynamic_cast<const WriteBase*>(txn_.get()) != nullptr;
    reads_ahead_ = !write_ && !txn_->environment()->in_memory();
  }
  ~LmdbCursor() override {
    // A write transaction frees its cursors when it ends; a read transaction leaves them to us.
    if (txn_->environment()->forked()) {
      leave_to_parent(cursor_);
    } else if (!write_ || !txn_->ended()) {
      mdb_cursor_close(cursor_);
    }
  }
  LmdbCursor(const LmdbCursor&) = delete;
  LmdbCursor& operator=(const LmdbCursor&) = delete;

  std::optional<Item> seek(ByteView key) override {
    if (key.empty()) return move(MDB_FIRST);
    return move(MDB_SET_RANGE, key);
  }

  std::optional<Item> seek_before(std::optional<ByteView> bound) override {
    if (bound && bound->empty()) return std::nullopt;
    if (bound && move(MDB_SET_RANGE, *bound)) return move(MDB_PREV);
    return move(MDB_LAST);
  }

  std::optional<Item> next() override { return move(MDB_NEXT); }
  std::optional<Item> previous() override { return move(MDB_PREV); }

  /// A snapshot's entries stay where they are; those of a write transaction until it writes.
  std::size_t move_on(Order order, std::span<Item> lent) override {
    static_cast<void>(txn_->raw());  // ended: StateError
    const MDB_cursor_op operation = order == Order::ascending ? MDB_NEXT : MDB_PREV;
    const std::size_t wanted = write_ ? 1 : lent.size();
    std::size_t count = 0;
    for (; count < wanted; ++count) {
      MDB_val key{};
      MDB_val value{};
      const int result = mdb_cursor_get(cursor_, &key, &value, operation);
      if (result == MDB_NOTFOUND) break;
      require_lmdb(result, "mdb_cursor_get", txn_->environment()->path());
      lent[count] = {.key = as_view(key), .value = as_view(value)};
    }
    if (reads_ahead_ && count > 0) read_ahead(lent.first(count));
    return count;
  }

 private:
  /// A leaf page begins with its number, and lies on a multiple of its size where that is the system's page size.
  void read_ahead(std::span<const Item> passed) {
    passed_ += passed.size();
    if (passed_ < long_scan) return;
    if (!ahead_) {
      MDB_stat stat{};
      MDB_envinfo info{};
      const Environment& environment = *txn_->environment();
      require_lmdb(mdb_env_stat(environment.raw(), &stat), "mdb_env_stat", environment.path());
      require_lmdb(mdb_env_info(environment.raw(), &info), "mdb_env_info", environment.path());
      reads_ahead_ = ::sysconf(_SC_PAGESIZE) == static_cast<long>(stat.ms_psize);
      if (!reads_ahead_) return;
      page_mask_ = ~(std::uintptr_t{stat.ms_psize} - 1);
      ahead_.emplace(*environment.ops(), environment.data().fd(), stat.ms_psize, info.me_last_pgno + 1);
    }
    for (const Item* item : {&passed.front(), &passed.back()}) {
      std::uint64_t page = 0;
      const auto address = reinterpret_cast<std::uintptr_t>(item->key.data()) & page_mask_;
      std::memcpy(&page, reinterpret_cast<const void*>(address), sizeof page);
      ahead_->come_to(page);
    }
  }

  std::optional<Item> move(MDB_cursor_op operation, ByteView sought = {}) {
    static_cast<void>(txn_->raw());  // ended: StateError
    MDB_val key{sought.size(), const_cast<std::byte*>(sought.data())};
    MDB_val value{};
    const int result = mdb_cursor_get(cursor_, &key, &value, operation);
    if (result == MDB_NOTFOUND) return std::nullopt;
    require_lmdb(result, "mdb_cursor_get", txn_->environment()->path());
    return Item{.key = as_view(key), .value = as_view(value)};
  }

  std::shared_ptr<const LmdbTxn> txn_;
  MDB_cursor* cursor_ = nullptr;
  bool write_ = false;
  bool reads_ahead_ = false;
  std::uint64_t passed_ = 0;
  std::uintptr_t page_mask_ = 0;
  std::optional<ReadAhead> ahead_;  ///< of a long scan
};

}  // namespace

std::optional<ByteView> LmdbTxn::get(LmdbHandle handle, ByteView key) const {
  MDB_val sought{key.size(), const_cast<std::byte*>(key.data())};
  MDB_val value{};
  const int result = mdb_get(raw(), handle, &sought, &value);
  if (result == MDB_NOTFOUND) return std::nullopt;
  require_lmdb(result, "mdb_get", environment_->path());
  return as_view(value);
}

std::uint64_t LmdbView::count() const {
  MDB_stat stat{};
  require_lmdb(mdb_stat(txn_->raw(), handle_, &stat), "mdb_stat", txn_->environment()->path());
  return stat.ms_entries;
}

std::unique_ptr<OrderedCursor> LmdbView::cursor() const {
  return std::make_unique<LmdbCursor>(txn_, handle_);
}

}  // namespace holdfast::detail
