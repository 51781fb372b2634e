#include "db/environment.hpp"
#include "db/feed_reader.hpp"
#include "db/feed_watchers.hpp"
#include "db/table_binding.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast {

FeedExtent Database::feed(const Transaction& txn) const {
  detail::TransactionTables& tables = txn.tables();
  require_own(tables);
  return detail::read_extent(tables);
}

ChangeRange Database::changes(const Transaction& txn, std::uint64_t since) const {
  require_own(txn.tables());
  return detail::read_changes(txn.tables_, since);
}

Watch Database::watch(const ByteTable& table, std::string_view prefix, std::function<void(const FeedChange&)> use,
                      std::optional<std::uint64_t> since) const {
  if (!use) throw OptionError({.option = "use", .problem = "is null"});
  const ReadTransaction txn = begin_read();
  const auto* const found = table.binding_->find(table.tables_of(txn).index(), detail::Use::reading);
  if (found != nullptr ? !found->record->is_fed() : !table.binding_->makes_fed())
    throw UnsupportedError({.capability = "change feed", .where = "table " + table.name()});
  if (since) static_cast<void>(changes(txn, *since));
  auto watcher = std::make_shared<detail::FeedWatcher>(
      detail::FeedWatcher::Concern{
          .table = table.name(), .table_id = found != nullptr ? found->record->id : 0, .prefix = std::string(prefix)},
      std::move(use), since.value_or(feed(txn).last));
  return {environment_, std::move(watcher)};
}

Watch::Watch(std::shared_ptr<detail::Environment> environment, std::shared_ptr<detail::FeedWatcher> watcher)
    : environment_(std::move(environment)), watcher_(std::move(watcher)) {
  environment_->watchers().add(watcher_);
}

Watch::~Watch() {
  end();
}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    end();
    environment_ = std::move(other.environment_);
    watcher_ = std::move(other.watcher_);
  }
  return *this;
}

void Watch::end() noexcept {
  if (!environment_ || environment_->forked()) return;
  environment_->watchers().remove(watcher_.get());
  watcher_->end();
}

void Watch::deliver() {
  environment_->require_own_process();
  watcher_->deliver(environment_);
}

std::uint64_t Watch::position() const {
  environment_->require_own_process();
  return watcher_->position();
}

std::exception_ptr Watch::failure() const {
  environment_->require_own_process();
  return watcher_->failure();
}

}  // namespace holdfast
