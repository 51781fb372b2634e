#include "holdfast/tier/commit_group.hpp"

#include "tier/commit_unit.hpp"

namespace holdfast {

CommitGroup::CommitGroup(std::shared_ptr<StorageBackend> backend)
    : unit_(std::make_shared<detail::CommitUnit>(std::move(backend), detail::CommitUnit::Kind::group)) {}

void CommitGroup::flush() {
  unit_->flush();
}

void CommitGroup::rollback() {
  unit_->rollback(unit_->living_members());
}

const std::shared_ptr<StorageBackend>& CommitGroup::backend() const noexcept {
  return unit_->backend();
}

void CommitGroup::run_update(FunctionRef<void()> fn) {
  unit_->update(fn);
}

}  // namespace holdfast
