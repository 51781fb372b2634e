#include "holdfast/tier/flusher.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "holdfast/core/error.hpp"
#include "tier/commit_unit.hpp"
#include "tier/tier_core.hpp"

namespace holdfast {

struct Flusher::Shared {
  explicit Shared(FlusherOptions given) : options(std::move(given)) {}

  void add(const std::shared_ptr<detail::CommitUnit>& unit) {
    const std::lock_guard lock(mutex);
    std::erase_if(units, [](const auto& other) { return other.expired(); });
    const auto same = [&](const auto& other) { return other.lock() == unit; };
    if (std::none_of(units.begin(), units.end(), same)) units.push_back(unit);
  }

  using Other = std::shared_ptr<std::function<bool()>>;

  void drop(const Other& ended) {
    const std::lock_guard lock(mutex);
    std::erase(others, ended);
  }

  void run() {
    // Longer ones would wrap around the clock, and be no wait at all.
    constexpr std::chrono::milliseconds longest_wait = std::chrono::hours(24 * 365);
    const auto interval = std::min(options.interval, longest_wait);
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, interval, [this] { return stopping; })) {
      const auto round = units;
      const auto others_now = others;
      lock.unlock();
      for (const auto& weak : round) {
        if (const auto unit = weak.lock()) flush([&] { unit->flush(); });
      }
      for (const auto& other : others_now) {
        flush([&] {
          if (!(*other)()) drop(other);
        });
      }
      lock.lock();
    }
  }

  void flush(FunctionRef<void()> work) const {
    try {
      work();
    } catch (...) {
      options.on_error(std::current_exception());
    }
  }

  const FlusherOptions options;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;                                 // guarded by mutex
  std::vector<std::weak_ptr<detail::CommitUnit>> units;  // guarded by mutex
  std::vector<Other> others;                             // guarded by mutex
  std::mutex join_mutex;                                 // one stop() joins, the others wait for it
  std::thread thread;
  std::thread::id thread_id;  // set before add() can give the thread anything to do
};

Flusher::Flusher(FlusherOptions options) {
  if (options.interval <= std::chrono::milliseconds::zero()) {
    throw OptionError({.option = "interval", .problem = "must be above 0"});
  }
  if (!options.on_error) {
    throw OptionError({.option = "on_error", .problem = "must be set: nobody else sees the errors of this thread"});
  }
  shared_ = std::make_unique<Shared>(std::move(options));
  shared_->thread = std::thread([shared = shared_.get()] { shared->run(); });
  shared_->thread_id = shared_->thread.get_id();
}

Flusher::~Flusher() {
  stop();
}

void Flusher::add(const Tier& tier) {
  shared_->add(tier.core_->shared_unit());
}

void Flusher::add(const CommitGroup& group) {
  shared_->add(group.unit_);
}

void Flusher::add(std::function<bool()> flush) {
  const std::lock_guard lock(shared_->mutex);
  shared_->others.push_back(std::make_shared<std::function<bool()>>(std::move(flush)));
}

void Flusher::stop() {
  if (shared_->thread_id == std::this_thread::get_id()) {
    throw StateError({.state = State::would_deadlock, .where = "flusher", .problem = "stop() from its own thread"});
  }
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  const std::lock_guard joining(shared_->join_mutex);
  if (shared_->thread.joinable()) shared_->thread.join();
}

}  // namespace holdfast
