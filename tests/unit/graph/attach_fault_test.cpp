// Every operation of every backend fails in turn, before it takes effect and after.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>

#include "graph_fixture.hpp"
#include "holdfast/core/error.hpp"
#include "support/faulty_backend.hpp"

namespace holdfast {
namespace {

using testing::FaultyBackend;
using testing::plain_cadence_of_three;
using testing::restored;

enum class Layout { one_backend, two_backends, no_log };
enum class Failing { checkpoints, log };

struct Place {
  explicit Place(Layout layout)
      : checkpoints(std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>())),
        log(layout == Layout::two_backends ? std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>())
                                           : checkpoints),
        storage(CheckpointTier(checkpoints, {.name = "g"}), WalTier(log, {.prefix = "g/wal/"})) {
    if (layout == Layout::no_log) storage = GraphStorage(CheckpointTier(checkpoints, {.name = "g"}));
  }

  std::shared_ptr<FaultyBackend> checkpoints;
  std::shared_ptr<FaultyBackend> log;
  GraphStorage storage;
};

/// Fifteen changes of a graph, of which the `call`th operation of a backend fails; whether there were so many.
bool loses_nothing(Layout layout, Failing failing, FaultyBackend::Moment moment, std::size_t call) {
  SCOPED_TRACE("layout " + std::to_string(static_cast<int>(layout)) + ", call " + std::to_string(call));
  const Place place(layout);
  FaultyBackend& backend = failing == Failing::log ? *place.log : *place.checkpoints;
  StateGraph graph("g");
  auto options = plain_cadence_of_three;
  options.retention = Retention::latest(2);
  const auto saved = attach(graph, place.storage, options);
  backend.fail_call(call, moment);
  bool failed = false;
  const auto attempt = [&](auto change) {
    try {
      change();
    } catch (const IoError&) {
      failed = true;
    }
  };
  for (int i = 0; i < 6; ++i) {
    attempt([&] { graph.set("x", i); });
    attempt([&] { graph.set("y" + std::to_string(i), i); });
    if (i == 3) attempt([&] { graph.remove("y1"); });
  }
  const bool reached = backend.calls() >= call;
  EXPECT_EQ(failed, reached);
  backend.heal();
  graph.set("last", true);
  EXPECT_EQ(restored(place.storage), graph.snapshot());
  EXPECT_NO_THROW((void)history("g", place.storage));
  for (int i = 0; i < 7; ++i) {
    graph.set("after", i);
    EXPECT_EQ(restored(place.storage), graph.snapshot());
  }
  return reached;
}

class AttachFault : public ::testing::TestWithParam<std::tuple<Layout, Failing>> {};

TEST_P(AttachFault, FailureOfEveryBackendOperationInTurnLosesNothingAfterTheNextSuccess) {
  const auto [layout, failing] = GetParam();
  for (const auto moment : {FaultyBackend::Moment::before, FaultyBackend::Moment::after}) {
    std::size_t call = 1;
    while (loses_nothing(layout, failing, moment, call) && call < 200) ++call;
    EXPECT_GT(call, 10U);
    EXPECT_LT(call, 200U);
  }
}

INSTANTIATE_TEST_SUITE_P(OneBackend, AttachFault,
                         ::testing::Values(std::tuple(Layout::one_backend, Failing::checkpoints)));
INSTANTIATE_TEST_SUITE_P(NoLog, AttachFault, ::testing::Values(std::tuple(Layout::no_log, Failing::checkpoints)));
INSTANTIATE_TEST_SUITE_P(TwoBackends, AttachFault,
                         ::testing::Values(std::tuple(Layout::two_backends, Failing::checkpoints),
                                           std::tuple(Layout::two_backends, Failing::log)));

}  // namespace
}  // namespace holdfast
