// What the headers say of threads, with many of them.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "graph_fixture.hpp"

namespace holdfast {
namespace {

using testing::plain_cadence_of_three;
using testing::restored;

constexpr int writers = 4;
constexpr int changes_each = 100;

/// Counts a node of its own up, so that what was stored when can be told from its value.
void count_up(StateGraph& graph, int writer, std::atomic<int>& acknowledged) {
  const std::string own = "n" + std::to_string(writer);
  for (int i = 1; i <= changes_each; ++i) {
    graph.batch([&] {
      graph.set(own, i);
      graph.set(own + "'s double", 2 * i);
    });
    acknowledged = i;
  }
}

class AttachThreads : public ::testing::TestWithParam<bool> {
 protected:
  std::shared_ptr<MemoryBackend> backend = std::make_shared<MemoryBackend>();
  GraphStorage storage{CheckpointTier(backend, {.name = "g", .debounce = GetParam()}),
                       WalTier(backend, {.prefix = "g/wal/"})};
  StateGraph graph{"g"};
  std::atomic<int> acknowledged[writers] = {};
  std::vector<std::thread> threads;

  void start_writers() {
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([this, writer] { count_up(graph, writer, acknowledged[writer]); });
    }
  }
  void join() {
    for (auto& thread : threads) thread.join();
  }
};

TEST_P(AttachThreads, EveryChangeOfManyThreadsIsStoredWhileOthersFlushReadAndObserve) {
  auto saved = attach(graph, storage, plain_cadence_of_three);
  std::atomic<int> heard = 0;
  const auto subscription = graph.observe([&](const GraphCommit& commit) { heard += commit.nodes.size() == 2; });
  start_writers();
  std::atomic<bool> done = false;
  std::thread others([&] {
    while (!done) {
      const auto brief = graph.observe([](const GraphCommit&) {});
      saved.flush_all();
      (void)saved.has_pending();
      (void)saved.last_sequence();
      for (const auto& [name, node] : restored(storage).nodes) EXPECT_TRUE(node.value) << name;
    }
  });
  join();
  done = true;
  others.join();
  EXPECT_EQ(heard, writers * changes_each);
  saved.flush_all();
  EXPECT_EQ(restored(storage), graph.snapshot());
}

TEST_P(AttachThreads, DisposalWhileOthersChangeKeepsWhatWasAcknowledgedAndWholeBatches) {
  auto saved = attach(graph, storage, plain_cadence_of_three);
  start_writers();
  while (acknowledged[0] < changes_each / 4) std::this_thread::yield();
  int before[writers];
  for (int writer = 0; writer < writers; ++writer) before[writer] = acknowledged[writer];
  if (GetParam()) saved.flush_all();
  saved.dispose();
  join();
  EXPECT_FALSE(saved.has_pending());
  const GraphSnapshot stored = restored(storage);
  for (int writer = 0; writer < writers; ++writer) {
    const std::string own = "n" + std::to_string(writer);
    const int value = stored.find(own) != nullptr ? stored.find(own)->value->get<int>() : 0;
    EXPECT_GE(value, before[writer]);
    if (value > 0) {
      EXPECT_EQ(*stored.find(own + "'s double")->value, Json(2 * value));
    }
  }
  graph.set("late", true);
  saved.flush_all();
  EXPECT_EQ(restored(storage), stored);
}

TEST_P(AttachThreads, AnAttachmentMayGoWhileOthersChange) {
  start_writers();
  for (int i = 0; i < 10; ++i) {
    const auto saved = attach(graph, storage, {.existing = Existing::replace});
    std::this_thread::yield();
  }
  join();
  const auto saved = attach(graph, storage, {.existing = Existing::replace});
  EXPECT_EQ(restored(storage), graph.snapshot());
}

INSTANTIATE_TEST_SUITE_P(WriteThrough, AttachThreads, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Debounced, AttachThreads, ::testing::Values(true));

}  // namespace
}  // namespace holdfast
