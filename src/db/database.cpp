#include "holdfast/db/database.hpp"

#include "db/committer.hpp"
#include "db/environment.hpp"
#include "db/store_stats.hpp"
#include "db/store_watch.hpp"
#include "db/write_state.hpp"
#include "db/writer_turn.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {

std::shared_ptr<Database> Database::open(const DatabaseOptions& options) {
  return std::shared_ptr<Database>(new Database(detail::Environment::open(options), options));
}

std::shared_ptr<Database> Database::open_in_memory(const DatabaseOptions& options) {
  DatabaseOptions unsynced = options;
  unsynced.durability = Durability::unsynced;
  return std::shared_ptr<Database>(new Database(detail::Environment::open_in_memory(unsynced), unsynced));
}

Database::Database(std::shared_ptr<detail::Environment> environment, DatabaseOptions options)
    : environment_(std::move(environment)), options_(std::move(options)) {
  if (options_.observer) watch_ = std::make_shared<detail::StoreWatch>(environment_, options_);
}

Database::~Database() = default;

ReadTransaction Database::begin_read() const {
  return ReadTransaction(std::make_shared<detail::ReadState>(environment_, options_));
}

CommittableTransaction Database::begin_write() {
  require_writable();
  const detail::Deadline deadline(options_.clock, options_.busy_timeout);
  const auto turn = detail::WriterTurn::take(environment_, deadline);
  return CommittableTransaction(std::make_shared<detail::WriteState>(turn, options_, deadline), options_.durability,
                                watch_);
}

std::optional<CommittableTransaction> Database::try_begin_write(std::chrono::milliseconds timeout) {
  require_writable();
  const detail::Deadline deadline(options_.clock, timeout);
  const auto turn = detail::WriterTurn::try_take(environment_, deadline);
  if (!turn) return std::nullopt;
  return CommittableTransaction(std::make_shared<detail::WriteState>(turn, options_, deadline), options_.durability,
                                watch_);
}

void Database::require_writable() const {
  environment_->require_own_process();
  if (options_.access == Access::read_only)
    throw StateError({.state = State::read_only, .where = path().string(), .problem = "a handle for reading only"});
}

std::future<void> Database::write_async(const ByteTable& table, WriteBatch batch, TimeToLive ttl) {
  require_writable();
  std::call_once(async_once_, [&] { committer_ = std::make_unique<detail::Committer>(*this); });
  return committer_->submit(table, std::move(batch), ttl);
}

void Database::flush() {
  environment_->flush();
}

StoreStats Database::stats() const {
  return detail::read_stats(environment_, options_);
}

void Database::after_commit() const noexcept {
  environment_->watchers().deliver(environment_);
  if (watch_) watch_->look();
}

const StoreId& Database::id() const noexcept {
  return environment_->id();
}

const std::filesystem::path& Database::path() const noexcept {
  return environment_->path();
}

}  // namespace holdfast
