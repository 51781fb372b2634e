#include "db/registry.hpp"

#include <algorithm>
#include <atomic>

#include "db/environment.hpp"
#include "db/fork_guard.hpp"

namespace holdfast::detail {

namespace {

/// Never destroyed: stores may be closed by static objects' destructors.
std::atomic<Registry*>& current() {
  static std::atomic<Registry*> registry{new Registry};
  return registry;
}

}  // namespace

Registry& Registry::instance() {
  return *current().load();
}

void Registry::begin_anew() {
  leave_to_parent(current().exchange(new Registry));
}

std::shared_ptr<Environment> Registry::find(Lock& lock, const StoreIdentity& identity) {
  std::shared_ptr<Environment> environment;
  closed_.wait(lock, [&] {
    const auto found = open_.find(identity);
    if (found == open_.end()) return true;
    environment = found->second.lock();
    return environment != nullptr;
  });
  return environment;
}

void Registry::add(const Lock&, const StoreIdentity& identity, const StoreIdentity& lock_table,
                   const std::shared_ptr<Environment>& environment) {
  lock_tables_.emplace(identity, lock_table);
  open_.emplace(identity, environment);
}

bool Registry::uses(const Lock&, const StoreIdentity& lock_table) const {
  return std::ranges::any_of(lock_tables_, [&](const auto& open) { return open.second == lock_table; });
}

void Registry::close(const StoreIdentity& identity, std::unique_ptr<Environment> environment) noexcept {
  {
    const std::lock_guard lock(mutex_);
    environment.reset();
    open_.erase(identity);
    lock_tables_.erase(identity);
  }
  closed_.notify_all();
}

void Registry::keep(const StoreIdentity& identity, std::unique_ptr<Environment> environment) {
  {
    const std::lock_guard lock(mutex_);
    kept_.emplace_back(std::move(environment));
    open_[identity] = kept_.back();
  }
  closed_.notify_all();
}

}  // namespace holdfast::detail
