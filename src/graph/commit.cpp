#include "holdfast/graph/commit.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "graph/node_difference.hpp"

namespace holdfast {
namespace {

template <class Steps, class State>
void note(Steps& steps, std::string_view path, std::optional<State> before, std::optional<State> after) {
  const auto found = steps.find(path);
  if (found == steps.end()) {
    steps.emplace(std::string(path), typename Steps::mapped_type{std::move(before), std::move(after)});
  } else {
    found->second.after = std::move(after);
  }
}

/// Whether a path above `path` is among `unmounted`.
template <class Paths>
bool goes_with(std::string_view path, const Paths& unmounted) {
  for (auto owner = split_path(path).owner; !owner.empty(); owner = split_path(owner).owner) {
    if (unmounted.find(owner) != unmounted.end()) return true;
  }
  return false;
}

template <class State>
const State* pointer_to(const std::optional<State>& state) {
  return state ? &*state : nullptr;
}

}  // namespace

void GraphCommit::note_node(std::string_view path, std::optional<NodeSlice> before, std::optional<NodeSlice> after) {
  note(nodes, path, std::move(before), std::move(after));
}

void GraphCommit::note_mount(std::string_view path, std::optional<std::string> before,
                             std::optional<std::string> after) {
  note(mounts, path, std::move(before), std::move(after));
}

void GraphCommit::merge(const GraphCommit& next) {
  for (const auto& [path, step] : next.nodes) note(nodes, path, step.before, step.after);
  for (const auto& [path, step] : next.mounts) note(mounts, path, step.before, step.after);
}

GraphDiff GraphCommit::diff() const {
  GraphDiff diff;
  std::map<std::string_view, bool> unmounted;
  for (const auto& [path, step] : mounts) {
    if (step.after) {
      if (step.before != step.after) diff.mounted.push_back({path, *step.after});
    } else if (step.before) {
      if (!goes_with(path, unmounted)) diff.unmounted.push_back(path);
      unmounted.emplace(path, true);
    }
  }
  for (const auto& [path, step] : nodes) {
    if (!step.after && goes_with(path, unmounted)) continue;
    detail::compare_nodes(path, pointer_to(step.before), pointer_to(step.after), diff);
  }
  return diff;
}

CommitHub::Subscription CommitHub::subscribe(CommitObserver observer) {
  auto subscription = std::make_shared<CommitObserver>(std::move(observer));
  const std::lock_guard lock(mutex_);
  std::erase_if(observers_, [](const auto& other) { return other.expired(); });
  observers_.emplace_back(subscription);
  return subscription;
}

std::vector<std::shared_ptr<const CommitObserver>> CommitHub::living() const {
  std::vector<std::shared_ptr<const CommitObserver>> living;
  const std::lock_guard lock(mutex_);
  for (const auto& weak : observers_) {
    if (auto observer = weak.lock()) living.push_back(std::move(observer));
  }
  return living;
}

bool CommitHub::observed() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(observers_.begin(), observers_.end(), [](const auto& other) { return !other.expired(); });
}

void CommitHub::publish(const GraphCommit& commit) const {
  for (const auto& observer : living()) {
    if (observer->record) observer->record(commit);
  }
}

void CommitHub::settle(const GraphCommit& commit) const {
  // Storage first: what an observer does must not come between a change and its durability. All are told in any case.
  std::exception_ptr error;
  const auto attempt = [&error](const auto& step) {
    try {
      step();
    } catch (...) {
      if (!error) error = std::current_exception();
    }
  };
  const auto observers = living();
  for (const auto& observer : observers) {
    if (observer->settle) attempt(observer->settle);
  }
  for (const auto& observer : observers) {
    if (observer->hear) attempt([&] { observer->hear(commit); });
  }
  if (error) std::rethrow_exception(error);
}

void CommitHub::add_origin(const Digest& fingerprint) {
  const std::lock_guard lock(mutex_);
  origins_.push_back(fingerprint);
}

bool CommitHub::has_origin(const Digest& fingerprint) const {
  const std::lock_guard lock(mutex_);
  return std::find(origins_.begin(), origins_.end(), fingerprint) != origins_.end();
}

}  // namespace holdfast
