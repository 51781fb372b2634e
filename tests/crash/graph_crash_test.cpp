// A process that changes an attached graph is killed at random; what it acknowledged must be there, whole batches only.
#include <gtest/gtest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "holdfast/backend/file.hpp"
#include "holdfast/graph/attach.hpp"
#include "holdfast/graph/restore.hpp"
#include "holdfast/graph/state_graph.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"
#ifdef HOLDFAST_WITH_LMDB
#include "holdfast/backend/lmdb.hpp"
#endif

namespace holdfast {
namespace {

using testing::TemporaryDirectory;
using testing::test_seed;

constexpr int rounds = 100;
constexpr std::uint64_t batches_per_round = 50;
constexpr std::uint64_t changes_per_batch = 100;  // 5,000 changes a round
constexpr std::uint64_t node_count = 150;

using OpenBackend = std::function<std::shared_ptr<StorageBackend>()>;

std::string node_name(std::uint64_t index) {
  return "n" + std::to_string(index % node_count);
}

void apply_batch(StateGraph& graph, std::uint64_t number) {
  graph.batch([&] {
    graph.set("batch", number);
    for (std::uint64_t i = 1; i < changes_per_batch; ++i) graph.set(node_name(number * 37 + i), number);
  });
}

[[noreturn]] void work(const OpenBackend& open, int acknowledge) {
  const auto backend = open();
  StateGraph graph("g");
  const auto saved = attach(graph, GraphStorage(backend, "g"), {.existing = Existing::restore, .checkpoint_every = 7});
  std::uint64_t number = graph.node<std::uint64_t>("batch").get().value_or(0);
  for (std::uint64_t i = 0; i < batches_per_round; ++i) {
    apply_batch(graph, ++number);
    if (::write(acknowledge, &number, sizeof number) != sizeof number) break;
  }
  ::_exit(0);
}

/// Runs a child, kills it some time after so many acknowledgements; returns the last one that it sent.
std::uint64_t run_and_kill(const OpenBackend& open, std::uint64_t acknowledgements,
                           std::chrono::microseconds later_by) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    work(open, ends[1]);
  }
  ::close(ends[1]);
  std::uint64_t acknowledged = 0;
  for (std::uint64_t i = 0; i < acknowledgements; ++i) {
    if (::read(ends[0], &acknowledged, sizeof acknowledged) != sizeof acknowledged) break;
  }
  std::this_thread::sleep_for(later_by);
  ::kill(child, SIGKILL);
  std::uint64_t later = 0;
  while (::read(ends[0], &later, sizeof later) == sizeof later) acknowledged = later;
  ::close(ends[0]);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  return acknowledged;
}

void expect_every_acknowledged_batch_whole(const OpenBackend& open) {
  std::mt19937_64 random(test_seed());
  StateGraph model("g");
  std::uint64_t modelled = 0;
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < rounds; ++round) {
    acknowledged = std::max(acknowledged, run_and_kill(open, random() % (batches_per_round + 1),
                                                       std::chrono::microseconds(random() % 3000)));
    StateGraph graph("g");
    const auto result = restore(graph, GraphStorage(open(), "g"));
    const std::uint64_t found = graph.node<std::uint64_t>("batch").get().value_or(0);
    ASSERT_GE(found, acknowledged) << "round " << round;
    ASSERT_LE(found, acknowledged + 1) << "round " << round;
    while (modelled < found) apply_batch(model, ++modelled);
    ASSERT_EQ(graph.snapshot(), model.snapshot()) << "round " << round;
    ASSERT_EQ(result ? result->skipped + result->torn : 0U, 0U) << "round " << round;
  }
  EXPECT_GT(acknowledged, 0U);
}

TEST(GraphCrash, KilledOnFilesRestoresEveryAcknowledgedBatchWhole) {
  const TemporaryDirectory directory(testing::fast_directory());
  expect_every_acknowledged_batch_whole([&] {
    return std::make_shared<FileBackend>(
        FileOptions{.root = directory.path() / "state", .durability = Durability::unsynced});
  });
}

#ifdef HOLDFAST_WITH_LMDB
TEST(GraphCrash, KilledOnLmdbRestoresEveryAcknowledgedBatchWhole) {
  const TemporaryDirectory directory;
  expect_every_acknowledged_batch_whole([&] {
    return std::make_shared<LmdbBackend>(
        LmdbOptions{.path = directory.path() / "store", .durability = Durability::unsynced});
  });
}
#endif

}  // namespace
}  // namespace holdfast
