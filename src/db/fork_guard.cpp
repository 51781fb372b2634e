#include "db/fork_guard.hpp"

#include <pthread.h>

#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "db/registry.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// Never destroyed: stores may be closed, and processes forked, by static objects' destructors.
struct ForkGuard {
  std::mutex mutex;  ///< held over a fork, so that no descriptor is open and not yet listed
  std::set<int> descriptors;
  std::vector<const void*> inherited;
  std::shared_ptr<FileOps> ops = system_file_ops();
};

ForkGuard& guard() {
  static auto* const instance = new ForkGuard;
  return *instance;
}

void before_fork() {
  guard().mutex.lock();
}

void after_fork_in_parent() {
  guard().mutex.unlock();
}

void after_fork_in_child() {
  ForkGuard& state = guard();
  for (const int descriptor : state.descriptors) state.ops->close(descriptor);
  state.descriptors.clear();
  forks.fetch_add(1);
  state.mutex.unlock();
  Registry::begin_anew();
}

}  // namespace

void guard_forks() {
  static_cast<void>(Registry::instance());  // made before the handlers need it
  static_cast<void>(guard());
  static const bool registered = [] {
    const int result = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    if (result != 0) throw IoError({.operation = "pthread_atfork", .path = {}, .error_number = result});
    return true;
  }();
  static_cast<void>(registered);
}

void leave_to_parent(const void* inherited) noexcept {
  try {
    const std::lock_guard lock(guard().mutex);
    guard().inherited.push_back(inherited);
  } catch (const std::bad_alloc&) {
    return;  // leaked all the same
  }
}

ProcessFile::ProcessFile(std::shared_ptr<FileOps> ops, std::filesystem::path path, int flags) {
  const std::lock_guard lock(guard().mutex);
  file_ = std::make_unique<File>(std::move(ops), std::move(path), flags);
  guard().descriptors.insert(file_->fd());
  opened_in_ = forks.load();
}

ProcessFile::~ProcessFile() {
  close();
}

ProcessFile& ProcessFile::operator=(ProcessFile&& other) noexcept {
  if (this != &other) {
    close();
    file_ = std::move(other.file_);
    opened_in_ = other.opened_in_;
  }
  return *this;
}

void ProcessFile::close() noexcept {
  if (!file_) return;
  if (forked()) return leave_to_parent(file_.release());  // closed already, its number may be another's
  const std::lock_guard lock(guard().mutex);
  guard().descriptors.erase(file_->fd());
  file_.reset();
}

}  // namespace holdfast::detail
