#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "holdfast/core/error.hpp"
#include "holdfast/wal/verify.hpp"
#include "restore_fixture.hpp"
#include "support/faulty_backend.hpp"

namespace holdfast {
namespace {

using testing::no_more_checkpoints;
using testing::restored;
using testing::RestoreTest;
using testing::stored_keys;

TEST_F(RestoreTest, ReportsWhatItDid) {
  StateGraph graph("g");
  const auto result = restore(graph, storage);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->checkpoint_seq, 0U);
  EXPECT_EQ(result->final_seq, 6U);
  EXPECT_EQ(result->replayed, 6U);
  EXPECT_EQ(result->replayed_by_lifecycle, (std::array<std::uint64_t, 3>{1, 5, 0}));
  EXPECT_EQ(result->chain, ChainVerdict::verified);
  EXPECT_EQ(result->torn + result->skipped + result->unknown + result->filtered, 0U);
  EXPECT_EQ(graph.get("x"), Json(6));
}

TEST_F(RestoreTest, NothingStoredIsNoError) {
  StateGraph other("other");
  EXPECT_FALSE(restore(other, GraphStorage(backend, "other")));
  EXPECT_FALSE(verify_log("other", GraphStorage(backend, "other")));
}

TEST_F(RestoreTest, DryRunAndVerifyLogDoAllButApply) {
  StateGraph graph("g");
  EXPECT_EQ(restore(graph, storage, {.mode = RestoreMode::dry_run})->replayed, 6U);
  EXPECT_TRUE(graph.snapshot().nodes.empty());
  EXPECT_EQ(verify_log("g", storage)->replayed, 6U);
  truncate(3);
  EXPECT_THROW((void)verify_log("g", storage), RestoreError);
}

TEST_F(RestoreTest, LifecycleFilterAppliesOnlyWhatWasAskedFor) {
  StateGraph graph("g");
  const auto result = restore(graph, storage, {.lifecycles = {Lifecycle::spec}});
  EXPECT_EQ(result->replayed, 1U);
  EXPECT_EQ(result->filtered, 5U);
  EXPECT_EQ(graph.get("x"), Json(1));
}

TEST_F(RestoreTest, GoesBackToASequenceNumberOrATime) {
  for (std::uint64_t seq = 1; seq <= 6; ++seq) {
    EXPECT_EQ(*restored(storage, {.target_seq = seq}).find("x")->value, Json(seq));
    const auto between = start + std::chrono::seconds(10 * seq + 5);
    EXPECT_EQ(*restored(storage, {.target_time = between}).find("x")->value, Json(seq));
  }
  EXPECT_THROW(restored(storage, {.target_time = start - std::chrono::hours(1)}), RestoreError);
}

TEST_F(RestoreTest, HistoryListsThePointsAndDiffBetweenComparesThem) {
  const auto points = history("g", storage);
  ASSERT_EQ(points.size(), 7U);
  EXPECT_EQ(points[0].kind, HistoryPoint::Kind::checkpoint);
  EXPECT_EQ(points[3].seq, 3U);
  EXPECT_EQ(points[3].time, start + std::chrono::seconds(30));
  const GraphDiff diff = diff_between("g", storage, 2, 5);
  ASSERT_EQ(diff.values.size(), 1U);
  EXPECT_EQ(*diff.values[0].value, Json(5));
  EXPECT_EQ(*diff_between("g", storage, 5, 2).values[0].value, Json(2));
}

TEST_F(RestoreTest, OtherGraphsAndForeignKeysAreNeverReplayed) {
  const auto stranger = backend->read(key(6)).value();
  backend->write("g2/wal/00000000000000000007", stranger);
  backend->write("g/wal2/00000000000000000007", stranger);
  backend->write("g/wal/7", stranger);
  backend->write("g/wal/2/00000000000000000007", stranger);
  backend->write("g/wal/99999999999999999999", stranger);
  expect_torn(0, 6);
}

TEST_F(RestoreTest, FromSeveralStoragesIsFromTheFirstThatRestoresWholly) {
  const GraphStorage empty(std::make_shared<MemoryBackend>(), "g");
  StateGraph graph("g");
  EXPECT_FALSE(restore_from(graph, {empty, empty}));
  EXPECT_EQ(restore_from(graph, {empty, storage})->source, 1U);
  EXPECT_EQ(graph.get("x"), Json(6));

  const auto other = std::make_shared<MemoryBackend>();
  for (const auto& stored : stored_keys(*backend)) other->write(stored, backend->read(stored).value());
  const GraphStorage damaged(other, "g");
  other->write(key(3), Bytes{});
  backend->write("g", as_bytes("{"));
  const GraphSnapshot before = graph.snapshot();
  try {
    (void)restore_from(graph, {empty, damaged, storage});
    FAIL() << "neither of them restores";
  } catch (const RestoreError& error) {
    EXPECT_EQ(error.facts().reason, RestoreReason::frame_damaged) << "the first error";
    EXPECT_EQ(error.facts().seq, 3U);
  }
  EXPECT_EQ(graph.snapshot(), before);
}

TEST_F(RestoreTest, ReadsOneSnapshotAndNothingBeside) {
  const auto counted = std::make_shared<testing::FaultyBackend>(backend);
  counted->heal();
  StateGraph graph("g");
  ASSERT_TRUE(restore(graph, GraphStorage(counted, "g")));
  EXPECT_EQ(counted->calls(), 1U);
}

TEST(Restore, RemovedAndAddedAgainIsTheNewNode) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  StateGraph graph("g");
  const auto saved = attach(graph, storage, no_more_checkpoints);
  graph.set("x", 5);
  graph.remove("x");
  graph.add("x", 9);
  EXPECT_EQ(*restored(storage).find("x")->value, Json(9));
  graph.batch([&] {
    graph.remove("x");
    graph.add("x", NodeSlice{.type = NodeType::derived, .deps = {"y"}});
  });
  EXPECT_EQ(restored(storage), graph.snapshot());
}

TEST(Restore, StructureStatusAndSubgraphsSurvive) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  StateGraph graph("g");
  const auto saved = attach(graph, storage, no_more_checkpoints);
  const auto check = [&] { EXPECT_EQ(restored(storage), graph.snapshot()); };
  StateGraph child("child");
  child.set("inner", 1);
  graph.mount("m", child.snapshot());
  check();
  graph.add("m::late", 2);
  graph.mount("m::deep", {.name = "deep"});
  graph.set("m::deep::x", 3);
  check();
  graph.complete("m::late");
  graph.add("broken");
  graph.fail("broken", Json{{"why", "because"}});
  graph.add("silent");
  graph.fail("silent");
  check();
  graph.set("emptied", 1);
  graph.invalidate("emptied");
  check();
  graph.batch([&] {
    graph.unmount("m");
    graph.mount("m", {.name = "other"});
    graph.set("m::x", 1);
  });
  check();
  graph.batch([&] {
    graph.unmount("m");
    graph.set("m", "now a node");
  });
  check();
  graph.batch([&] {
    graph.remove("m");
    graph.mount("m", {.name = "again"});
    graph.set("m::x", 7);
  });
  check();
}

TEST(Restore, AChangeOfTopologyOverwritesNoValue) {
  const auto backend = std::make_shared<MemoryBackend>();
  for (const GraphStorage& storage :
       {GraphStorage(backend, "g"), GraphStorage(CheckpointTier(backend, {.name = "g"}))}) {
    StateGraph graph("g");
    const auto saved =
        attach(graph, storage, {.existing = Existing::replace, .checkpoint_every = 2, .checkpoint_ratio = 0});
    graph.set("x", 5);
    for (int i = 0; i < 4; ++i) {
      graph.add("y" + std::to_string(i));
      graph.mount("m" + std::to_string(i), {.name = "m"});
      EXPECT_EQ(*restored(storage).find("x")->value, Json(5));
      EXPECT_EQ(restored(storage), graph.snapshot());
    }
  }
}

TEST(Restore, TargetBelowTheNewestCheckpointWorksWhileRetained) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  auto options = testing::plain_cadence_of_three;
  options.retention = Retention::everything();
  StateGraph graph("g");
  const auto saved = attach(graph, storage, options);
  for (std::uint64_t i = 1; i <= 20; ++i) graph.set("x", i);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    EXPECT_EQ(*restored(storage, {.target_seq = i}).find("x")->value, Json(i));
  }
}

TEST(Restore, LogsOfOtherWritersReplayWithoutChainOrLast) {
  const auto backend = std::make_shared<MemoryBackend>();
  backend->write("g", as_bytes(R"({"format_version":1,"mode":"full","name":"g","seq":0,"snapshot":{"name":"g","nodes":)"
                               R"({"x":{"status":"live","type":"state","value":42}}},"timestamp_ns":1000})"));
  const GraphDiff diff{.values = {{"x", node_value(43)}}};
  backend->write("g/wal/00000000000000000001", encode_frame(decompose_diff(diff, 5, 0).front()));
  WalFrame foreign{.path = "m", .change = {.structure = "reactiveMap", .payload = {{"kind", "set"}}}, .frame_seq = 2};
  backend->write("g/wal/00000000000000000002", encode_frame(foreign));
  const GraphStorage storage(backend, "g");
  StateGraph graph("g");
  const auto result = restore(graph, storage);
  EXPECT_EQ(graph.get("x"), Json(43));
  EXPECT_EQ(result->unknown, 1U);
  EXPECT_EQ(result->final_seq, 2U);
  EXPECT_EQ(result->chain, ChainVerdict::absent);
  const auto saved = attach(graph, storage);
  graph.set("x", 44);
  EXPECT_EQ(restored(storage), graph.snapshot());
}

TEST(RestoreErrorTest, NamesReasonSequencePlaceAndCode) {
  const RestoreError error(
      {.reason = RestoreReason::frame_missing, .seq = 7, .where = "graph \"g\"", .problem = "the frame is not there"});
  EXPECT_EQ(error.code(), 904);
  EXPECT_STREQ(error.what(), "[holdfast.904] graph \"g\": sequence 7: the frame is not there");
}

}  // namespace
}  // namespace holdfast
