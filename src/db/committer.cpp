#include "db/committer.hpp"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "db/batch_write.hpp"
#include "db/environment.hpp"
#include "db/fork_guard.hpp"
#include "db/grouped_write.hpp"
#include "db/own_copy.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

struct Committer::Job {
  ByteTable table;
  WriteBatch batch;
  TimeToLive ttl;
  std::uint64_t size_bytes;
  std::promise<void> done{};

  void operator()(WriteTransaction& txn) const { write(txn, table, batch, ttl); }
};

namespace {

/// About what it holds in memory.
std::uint64_t size_of(const WriteBatch& batch) noexcept {
  constexpr std::uint64_t overhead = 512;  // of the job and its future
  std::uint64_t bytes = overhead;
  for (const auto& write : batch.writes())
    bytes += sizeof(write) + write.key.size() + (write.value ? write.value->size() : 0);
  for (const auto& required : batch.preconditions())
    bytes += sizeof(required) + required.key.size() + (required.value ? required.value->size() : 0);
  return bytes;
}

}  // namespace

struct Committer::Shared {
  using Jobs = std::vector<Job>;

  explicit Shared(Database& owner) noexcept : database(owner) {}

  /// Under the mutex.
  void require_thread() {
    if (thread.joinable()) return;
    try {
      thread = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      throw IoError({.operation = "start a thread", .path = database.path(), .error_number = error.code().value()});
    }
  }

  void run() {
    for (Jobs jobs = next(); !jobs.empty(); jobs = next()) {
      commit(jobs);
      std::uint64_t bytes = 0;
      for (const Job& job : jobs) bytes += job.size_bytes;
      {
        const std::lock_guard lock(mutex);
        held_bytes -= bytes;
      }
      room.notify_all();
    }
  }

  /// All that wait; none when it is over.
  Jobs next() {
    std::unique_lock lock(mutex);
    work.wait(lock, [&] { return closing || !waiting.empty(); });
    return std::exchange(waiting, {});
  }

  void commit(Jobs& jobs) {
    std::vector<GroupedWrite> writes;
    std::exception_ptr failure;
    try {
      writes.reserve(jobs.size());
      for (Job& job : jobs) writes.push_back({.table = &job.table, .use = job});
      commit_grouped(database, writes);
    } catch (...) {  // memory is short
      failure = std::current_exception();
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const std::exception_ptr own = failure ? failure : writes[i].failure;
      if (own) {
        jobs[i].done.set_exception(own);
      } else {
        jobs[i].done.set_value();
      }
    }
  }

  Database& database;
  std::mutex mutex;  ///< of what follows
  Jobs waiting;
  std::uint64_t held_bytes = 0;  ///< by jobs that wait or are being committed
  bool closing = false;
  std::condition_variable work;
  std::condition_variable room;
  std::thread thread;
};

Committer::Committer(Database& database) : shared_(std::make_unique<Shared>(database)) {}

Committer::~Committer() {
  if (shared_->database.environment()->forked()) {
    leave_to_parent(shared_.release());
    return;
  }
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
  }
  shared_->work.notify_one();
  if (shared_->thread.joinable()) shared_->thread.join();
}

std::future<void> Committer::submit(const ByteTable& table, WriteBatch batch, TimeToLive ttl) {
  const std::uint64_t bytes = size_of(batch);
  Job job{.table = table, .batch = std::move(batch), .ttl = ttl, .size_bytes = bytes};
  auto done = job.done.get_future();
  Shared& shared = *shared_;
  {
    std::unique_lock lock(shared.mutex);
    shared.require_thread();
    const std::uint64_t most = shared.database.options().async_bytes;
    shared.room.wait(lock, [&] { return shared.held_bytes == 0 || shared.held_bytes + bytes <= most; });
    shared.waiting.push_back(std::move(job));
    shared.held_bytes += bytes;
  }
  shared.work.notify_one();
  return done;
}

}  // namespace holdfast::detail
