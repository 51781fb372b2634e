// Every operation of every backend fails in turn, before it takes effect and after.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "graph_fixture.hpp"
#include "holdfast/core/error.hpp"
#include "support/faulty_backend.hpp"

namespace holdfast {
namespace {

using testing::FaultyBackend;
using testing::plain_cadence_of_three;
using testing::restored;

enum class Layout { one_backend, two_backends, no_log, two_pairs };
enum class Failing { checkpoints, other };

struct Place {
  explicit Place(Layout layout) {
    const CheckpointTier tier(checkpoints, {.name = "g"});
    switch (layout) {
      case Layout::one_backend: storages.emplace_back(checkpoints, "g"); break;
      case Layout::two_backends: storages.emplace_back(tier, WalTier(other, {.prefix = "g/wal/"})); break;
      case Layout::no_log: storages.emplace_back(tier); break;
      case Layout::two_pairs: storages.emplace_back(checkpoints, "g"); storages.emplace_back(other, "g");
    }
  }
  void expect_each_restores(const GraphSnapshot& state) const {
    for (const auto& storage : storages) EXPECT_EQ(restored(storage), state);
  }

  std::shared_ptr<FaultyBackend> checkpoints = std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>());
  std::shared_ptr<FaultyBackend> other = std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>());
  std::vector<GraphStorage> storages;
};

/// Fifteen changes of a graph, of which the `call`th operation of a backend fails; whether there were so many.
bool loses_nothing(Layout layout, Failing failing, FaultyBackend::Moment moment, std::size_t call) {
  SCOPED_TRACE("layout " + std::to_string(static_cast<int>(layout)) + ", call " + std::to_string(call));
  const Place place(layout);
  FaultyBackend& backend = failing == Failing::other ? *place.other : *place.checkpoints;
  StateGraph graph("g");
  auto options = plain_cadence_of_three;
  options.retention = Retention::latest(2);
  const auto saved = attach(graph, place.storages, options);
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
  place.expect_each_restores(graph.snapshot());
  for (const auto& storage : place.storages) EXPECT_NO_THROW((void)history("g", storage));
  for (int i = 0; i < 7; ++i) {
    graph.set("after", i);
    place.expect_each_restores(graph.snapshot());
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
                                           std::tuple(Layout::two_backends, Failing::other)));
INSTANTIATE_TEST_SUITE_P(TwoPairs, AttachFault,
                         ::testing::Values(std::tuple(Layout::two_pairs, Failing::checkpoints),
                                           std::tuple(Layout::two_pairs, Failing::other)));

}  // namespace
}  // namespace holdfast
