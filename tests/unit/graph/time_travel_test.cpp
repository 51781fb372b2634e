// Going back, and on from there: what was left stays where it was, as long as it is retained.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "holdfast/core/error.hpp"
#include "restore_fixture.hpp"

namespace holdfast {
namespace {

using testing::restored;
using testing::RestoreTest;

std::vector<std::uint64_t> sequences_of(const std::vector<HistoryPoint>& points) {
  std::vector<std::uint64_t> sequences;
  for (const auto& point : points) sequences.push_back(point.seq);
  return sequences;
}

/// A past of five changes, with a checkpoint at each, or only frames.
class TimeTravel : public ::testing::TestWithParam<std::size_t> {
 protected:
  TimeTravel() {
    options = {.checkpoint_every = GetParam(), .checkpoint_ratio = 0, .retention = Retention::everything()};
    StateGraph graph("g");
    const auto saved = attach(graph, storage, options);
    for (int i = 1; i <= 5; ++i) graph.set("x", i);
  }
  void expect_past_untouched() const {
    for (std::uint64_t seq = 1; seq <= 5; ++seq) {
      EXPECT_EQ(*restored(storage, {.target_seq = seq}).find("x")->value, Json(seq));
    }
  }

  std::shared_ptr<MemoryBackend> backend = std::make_shared<MemoryBackend>();
  GraphStorage storage{backend, "g"};
  AttachOptions options;
};

TEST_P(TimeTravel, WhatWasLeftByGoingBackCanBeGoneForwardTo) {
  StateGraph graph("g");
  ASSERT_TRUE(restore(graph, storage, {.target_seq = 2}));
  {
    const auto saved = attach(graph, storage, options);
    EXPECT_EQ(*restored(storage).find("x")->value, Json(2));
    graph.set("x", 77);
  }
  EXPECT_EQ(restored(storage), graph.snapshot());
  expect_past_untouched();
  EXPECT_EQ(sequences_of(history("g", storage)), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(*diff_between("g", storage, 5, 7).values.at(0).value, Json(77));
}

TEST_P(TimeTravel, GoingBackWhileAttachedIsAChangeLikeAnyOther) {
  StateGraph graph("g");
  options.existing = Existing::restore;
  const auto saved = attach(graph, storage, options);
  const std::uint64_t before = saved.last_sequence();
  ASSERT_TRUE(restore(graph, storage, {.target_seq = 2}));
  EXPECT_EQ(graph.get("x"), Json(2));
  EXPECT_EQ(saved.last_sequence(), before + 1);
  EXPECT_EQ(restored(storage), graph.snapshot());
  expect_past_untouched();
}

TEST_P(TimeTravel, WhatIsChangedBeforeAttachingDoesNotHideTheStateBeforeIt) {
  StateGraph graph("g");
  ASSERT_TRUE(restore(graph, storage));
  graph.set("x", 77);
  const auto saved = attach(graph, storage, options);
  EXPECT_EQ(restored(storage), graph.snapshot());
  expect_past_untouched();
}

TEST_P(TimeTravel, TornFramesThatALaterCheckpointAnswersForDoNotSpoilTheHistory) {
  backend->write(frame_key("g", 6), as_bytes("{\"t\":"));
  backend->write(frame_key("g", 7), Bytes{});
  StateGraph graph("g");
  EXPECT_EQ(restore(graph, storage)->torn, 2U);
  const auto saved = attach(graph, storage, options);
  graph.set("x", 77);
  EXPECT_EQ(restored(storage), graph.snapshot());
  expect_past_untouched();
  EXPECT_EQ(sequences_of(history("g", storage)), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 8, 9}));
  if (GetParam() == 1) return;  // a checkpoint is there for everything
  backend->write(frame_key("g", 9), as_bytes("{\"t\":"));
  EXPECT_THROW((void)history("g", storage), RestoreError) << "that one was acknowledged";
}

INSTANTIATE_TEST_SUITE_P(CheckpointAtEveryChange, TimeTravel, ::testing::Values(1U));
INSTANTIATE_TEST_SUITE_P(FramesOnly, TimeTravel, ::testing::Values(1'000'000U));

TEST_F(RestoreTest, TargetsAtTheEdges) {
  const auto x_at = [&](const RestoreOptions& options) {
    const GraphSnapshot state = restored(storage, options);
    const NodeSlice* node = state.find("x");
    return node != nullptr ? node->value->get<int>() : 0;
  };
  const auto at = [&](int seconds) { return start + std::chrono::seconds(seconds); };
  const auto moment = std::chrono::microseconds(1);
  EXPECT_EQ(x_at({.target_seq = 0}), 0);
  EXPECT_EQ(x_at({.target_seq = 7}), 6) << "beyond the end is the end";
  EXPECT_EQ(x_at({.target_seq = std::numeric_limits<std::uint64_t>::max()}), 6);
  EXPECT_EQ(x_at({.target_time = at(0)}), 0) << "the checkpoint's own time";
  EXPECT_THROW(x_at({.target_time = at(0) - moment}), RestoreError);
  EXPECT_EQ(x_at({.target_time = at(30)}), 3) << "a frame's own time";
  EXPECT_EQ(x_at({.target_time = at(30) - moment}), 2);
  EXPECT_EQ(x_at({.target_time = std::chrono::system_clock::time_point::max()}), 6);
  EXPECT_THROW(x_at({.target_time = std::chrono::system_clock::time_point::min()}), RestoreError);
  EXPECT_EQ(x_at({.target_seq = 5, .target_time = at(20)}), 2) << "whichever comes first";
  EXPECT_EQ(x_at({.target_seq = 1, .target_time = at(20)}), 1);
}

TEST_F(RestoreTest, HistoryIsNoAnswerWhereThereIsDamage) {
  const Bytes checkpoint = backend->read("g").value();
  backend->erase("g");
  EXPECT_THROW((void)history("g", storage), RestoreError) << "frames, and nothing that they follow";
  backend->write("g", checkpoint);
  backend->write("g/last", as_bytes("{}"));
  EXPECT_THROW((void)history("g", storage), RestoreError);
  EXPECT_TRUE(history("other", GraphStorage(backend, "other")).empty());
}

}  // namespace
}  // namespace holdfast
