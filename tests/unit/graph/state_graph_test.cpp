#include "holdfast/graph/state_graph.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"
#include "holdfast/graph/checkpoint.hpp"
#include "holdfast/graph/diff.hpp"

namespace holdfast {
namespace {

using Kind = NodeStatus::Kind;

TEST(StateGraph, NodeIsSentinelThenLiveThenInvalidatedThenLive) {
  StateGraph graph("g");
  EXPECT_FALSE(graph.contains("x"));
  EXPECT_FALSE(graph.status("x"));
  graph.add("x");
  EXPECT_EQ(graph.status("x")->kind, Kind::sentinel);
  EXPECT_FALSE(graph.get("x"));
  graph.set("x", nullptr);
  EXPECT_EQ(graph.status("x")->kind, Kind::live);
  EXPECT_EQ(graph.get("x"), Json(nullptr)) << "null is a value";
  EXPECT_TRUE(graph.invalidate("x"));
  EXPECT_EQ(graph.status("x")->kind, Kind::sentinel);
  EXPECT_FALSE(graph.get("x"));
  EXPECT_FALSE(graph.invalidate("y"));
}

TEST(StateGraph, NodeThatHasEndedRefusesValuesAndKeepsWhatItHas) {
  StateGraph graph("g");
  graph.set("x", 1);
  EXPECT_TRUE(graph.complete("x"));
  EXPECT_THROW(graph.set("x", 2), StateError);
  EXPECT_THROW(graph.invalidate("x"), StateError);
  EXPECT_EQ(graph.get("x"), Json(1));
  graph.set("y", 1);
  EXPECT_TRUE(graph.fail("y", Json("broken")));
  EXPECT_EQ(graph.status("y")->kind, Kind::errored);
  EXPECT_EQ(*graph.status("y")->error, Json("broken"));
  EXPECT_TRUE(graph.remove("y"));
  graph.set("y", 3);
  EXPECT_EQ(graph.get("y"), Json(3));
}

TEST(StateGraph, PathsLeadIntoMountedSubgraphs) {
  StateGraph graph("g");
  EXPECT_THROW(graph.set("child::x", 1), ConflictError);
  graph.mount("child", {.name = "c"});
  graph.mount("child::grand", {.name = "gc"});
  graph.set("child::grand::x", 1);
  EXPECT_EQ(graph.get("child::grand::x"), Json(1));
  EXPECT_THROW(graph.mount("child", {.name = "c"}), ConflictError);
  EXPECT_THROW(graph.add("child"), ConflictError);
  EXPECT_TRUE(graph.unmount("child"));
  EXPECT_FALSE(graph.unmount("child"));
  EXPECT_FALSE(graph.contains("child::grand::x"));
}

TEST(StateGraph, WhatCouldNotBeStoredIsRefusedAtOnce) {
  StateGraph graph("g");
  EXPECT_THROW(graph.set("x", std::numeric_limits<double>::quiet_NaN()), CodecError);
  EXPECT_THROW(graph.set("x", "\xFF"), CodecError);
  EXPECT_THROW(graph.set("", 1), OptionError);
  EXPECT_THROW(graph.set("a::", 1), OptionError);
  EXPECT_THROW(graph.set("a::b", 1), ConflictError);
  EXPECT_THROW(graph.set("a:", 1), OptionError);
  EXPECT_THROW(graph.set("\xFF", 1), OptionError);
  Json deep = 1;
  for (std::size_t i = 0; i < limits::max_graph_value_depth; ++i) deep = Json::array({std::move(deep)});
  graph.set("deep", deep);
  EXPECT_THROW(graph.set("x", Json::array({deep})), LimitError);
  EXPECT_FALSE(graph.contains("x"));
}

TEST(StateGraph, DeepestMountsAndValuesStillMakeACheckpointThatReadsBack) {
  StateGraph graph("g");
  std::string path;
  for (std::size_t i = 0; i < limits::max_graph_mount_depth; ++i) {
    path = join_path(path, "m");
    graph.mount(path, {.name = "m"});
  }
  EXPECT_THROW(graph.mount(path + "::m", {.name = "m"}), LimitError);
  Json deep = 1;
  for (std::size_t i = 0; i < limits::max_graph_value_depth; ++i) deep = Json::array({std::move(deep)});
  graph.add(path + "::x");
  graph.fail(path + "::x", deep);
  Bytes bytes;
  CheckpointCodec::encode({.snapshot = graph.snapshot()}, bytes);
  EXPECT_EQ(CheckpointCodec::decode(bytes).snapshot, graph.snapshot());
}

TEST(StateGraph, BatchHappensWholeOrNotAtAllAndIsHeardOnce) {
  StateGraph graph("g");
  graph.set("x", 1);
  graph.mount("m", {.name = "m"});
  graph.set("m::y", 1);
  std::vector<GraphDiff> heard;
  const auto subscription = graph.observe([&](const GraphCommit& commit) { heard.push_back(commit.diff()); });
  const GraphSnapshot before = graph.snapshot();
  EXPECT_THROW(graph.batch([&] {
    graph.set("x", 2);
    graph.remove("x");
    graph.unmount("m");
    graph.add("m", 3);
    graph.replace({.name = "other"});
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(graph.snapshot(), before);
  EXPECT_TRUE(heard.empty());

  const int result = graph.batch([&] {
    graph.set("x", 2);
    EXPECT_THROW(graph.batch([&] {
      graph.set("x", 3);
      throw std::runtime_error("inner");
    }),
                 std::runtime_error);
    graph.set("z", 4);
    return 7;
  });
  EXPECT_EQ(result, 7);
  EXPECT_EQ(graph.get("x"), Json(2));
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].added.size(), 1U);
  EXPECT_EQ(heard[0].values.size(), 1U);
}

TEST(StateGraph, ObserverMayChangeTheGraphAndEndsWithItsSubscription) {
  StateGraph graph("g");
  int heard = 0;
  auto subscription = graph.observe([&](const GraphCommit& commit) {
    ++heard;
    if (commit.nodes.contains("x")) graph.set("copy", graph.get("x").value());
  });
  graph.set("x", 1);
  EXPECT_EQ(graph.get("copy"), Json(1));
  EXPECT_EQ(heard, 2);
  subscription.reset();
  graph.set("x", 2);
  EXPECT_EQ(heard, 2);
}

TEST(StateGraph, TypedNodesReadAndWriteTheirType) {
  StateGraph graph("g");
  auto names = graph.node<std::vector<std::string>>("names");
  EXPECT_FALSE(names.get());
  names.set({"a", "b"});
  EXPECT_EQ(names.get()->size(), 2U);
  EXPECT_THROW((void)graph.node<int>("names").get(), CodecError);
}

TEST(StateGraph, BatchesOfManyThreadsDoNotMix) {
  StateGraph graph("g");
  graph.set("a", 0);
  graph.set("b", 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&graph] {
      for (int i = 0; i < 100; ++i) {
        graph.batch([&] {
          graph.set("a", graph.get("a")->get<int>() + 1);
          graph.set("b", graph.get("b")->get<int>() + 1);
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(graph.get("a"), Json(400));
  EXPECT_EQ(graph.get("b"), Json(400));
}

GraphSnapshot varied_snapshot() {
  StateGraph graph("g");
  graph.set("kept", 1);
  graph.set("changed", 1);
  graph.set("emptied", 1);
  graph.set("ended", 1);
  graph.set("removed", 1);
  graph.add("retyped");
  graph.mount("old", {.name = "old"});
  graph.set("old::x", 1);
  graph.mount("m", {.name = "m"});
  graph.set("m::x", 1);
  return graph.snapshot();
}

TEST(GraphDiff, TurnsOneStateIntoTheOtherAndBack) {
  const GraphSnapshot before = varied_snapshot();
  StateGraph graph("g");
  graph.replace(before);
  graph.set("changed", 2);
  graph.invalidate("emptied");
  graph.complete("ended");
  graph.remove("removed");
  graph.remove("retyped");
  graph.add("retyped", NodeSlice{.type = NodeType::derived, .deps = {"kept"}});
  graph.unmount("old");
  graph.set("m::x", 2);
  graph.mount("new", {.name = "n"});
  graph.set("new::y", 5);
  const GraphSnapshot after = graph.snapshot();

  const GraphDiff diff = diff_snapshots(before, after);
  EXPECT_EQ(diff.added.size(), 2U);
  EXPECT_EQ(diff.removed, std::vector<std::string>{"removed"});
  EXPECT_EQ(diff.mounted.size(), 1U);
  EXPECT_EQ(diff.unmounted, std::vector<std::string>{"old"});
  EXPECT_EQ(diff.values.size(), 3U);

  GraphSnapshot forth = before;
  apply_diff(diff, forth);
  EXPECT_EQ(forth, after);
  GraphSnapshot back = after;
  apply_diff(diff_snapshots(after, before), back);
  EXPECT_EQ(back, before);
  EXPECT_TRUE(diff_snapshots(after, after).empty());
}

TEST(GraphDiff, DecomposesIntoFramesInTheirOrderWithOneTimestampAndNumbersFromBase) {
  const GraphDiff diff{.added = {{"a", {}}},
                       .removed = {"r"},
                       .mounted = {{"m", "sub"}},
                       .unmounted = {"u"},
                       .values = {{"v", node_value(1)}, {"w", nullptr}},
                       .statuses = {{"s", {.kind = Kind::completed}}, {"v", {.kind = Kind::live}}}};
  const auto frames = decompose_diff(diff, 77, 10);
  std::vector<std::string> kinds;
  for (const auto& frame : frames) {
    kinds.push_back(frame.change.payload["kind"]);
    EXPECT_EQ(frame.frame_seq, 10 + kinds.size());
    EXPECT_EQ(frame.frame_t_ns, 77U);
    EXPECT_EQ(frame.change.t_ns, 77U);
    EXPECT_FALSE(frame.change.seq);
    EXPECT_EQ(frame.lifecycle, kinds.back().starts_with("graph.") ? Lifecycle::spec : Lifecycle::data);
  }
  EXPECT_EQ(kinds, (std::vector<std::string>{"graph.add", "graph.remove", "graph.mount", "graph.unmount", "node.set",
                                             "node.invalidate", "node.status"}));
}

TEST(GraphDiff, IntegersThatADoubleCannotTellApartAreAChange) {
  const NodeValue integer = node_value(std::uint64_t{9007199254740993});
  const NodeValue real = node_value(9007199254740992.0);
  EXPECT_FALSE(same_value(integer, real));
  EXPECT_TRUE(same_value(node_value(1), node_value(1.0)));
}

TEST(Checkpoint, IsTheDocumentedTextAndReadsBack) {
  StateGraph graph("g");
  graph.set("x", 42);
  CheckpointRecord record{.timestamp_ns = 1000, .snapshot = graph.snapshot()};
  Bytes bytes;
  CheckpointCodec::encode(record, bytes);
  const std::string body =
      R"("format_version":1,"mode":"full","name":"g","seq":0,"snapshot":{"name":"g","nodes":{"x":{"status":"live",)"
      R"("type":"state","value":42}}},"timestamp_ns":1000})";
  EXPECT_EQ(to_text(bytes), "{\"checksum\":\"" + to_hex(sha256(as_bytes("{" + body))) + "\"," + body);
  EXPECT_EQ(CheckpointCodec::decode(bytes), record);
  EXPECT_EQ(CheckpointCodec::decode(as_bytes("{" + body)), record) << "other writers have no checksum";
}

TEST(Checkpoint, FlatFormOfOtherWritersReads) {
  const std::string text =
      R"({"mode":"full","name":"g","seq":3,"timestamp_ns":5,"snapshot":{"version":1,"name":"g","nodes":{)"
      R"("a":{"type":"state","status":"settled","value":1},"child::b":{"type":"derived","status":"errored","deps":["child::c"]},)"
      R"("child::c":{"type":"state","status":"sentinel"}},)"
      R"("edges":[{"from":"child::c","to":"child::b"}],"subgraphs":["child","bare"]}})";
  const CheckpointRecord record = CheckpointCodec::decode(as_bytes(text));
  EXPECT_EQ(record.seq, 3U);
  EXPECT_EQ(record.snapshot.find("a")->status.kind, Kind::live);
  ASSERT_NE(record.snapshot.find("child::b"), nullptr);
  EXPECT_EQ(record.snapshot.find("child::b")->status.kind, Kind::errored);
  EXPECT_EQ(record.snapshot.find("child::b")->deps, std::vector<std::string>{"c"});
  EXPECT_NE(record.snapshot.find_graph("bare"), nullptr);
}

TEST(Checkpoint, DuplicatesAreRefusedWhereverTheyStand) {
  const auto decode = [](const std::string& snapshot) {
    return CheckpointCodec::decode(as_bytes(R"({"seq":0,"snapshot":)" + snapshot + R"(,"timestamp_ns":0})"));
  };
  const std::string node = R"({"status":"live","type":"state","value":1})";
  const std::string graph = R"({"name":"m","nodes":{"a":)" + node + "}}";
  EXPECT_EQ(decode(R"({"name":"g","nodes":{"a":)" + node + R"(},"subgraphs":{"m":)" + graph + "}}")
                .snapshot.find("m::a")
                ->value->get<int>(),
            1);
  for (const std::string& snapshot :
       {R"({"name":"g","nodes":{},"subgraphs":{},"nodes":{}})" + std::string(),
        R"({"name":"g","nodes":{"a":)" + node + R"(,"a":)" + node + "}}",
        R"({"name":"g","nodes":{"a":)" + node + R"(,"\u0061":)" + node + "}}",
        R"({"name":"g","nodes":{},"subgraphs":{"m":)" + graph + R"(,"m":)" + graph + "}}",
        R"({"name":"g","nodes":{},"n\u0061me":"h"})" + std::string(), R"({"name":"g","nodes":{"a":)" + node + ",}}"}) {
    EXPECT_THROW((void)decode(snapshot), CodecError) << snapshot;
  }
  EXPECT_THROW((void)decode(graph + R"(,"snapshot":)" + graph), CodecError);
}

TEST(Checkpoint, WhiteSpaceOfOtherWritersReads) {
  const std::string text =
      R"({ "seq": 0, "snapshot": { "name": "g", "nodes": { "a": { "value": 1 } } }, "timestamp_ns": 0 })";
  EXPECT_EQ(CheckpointCodec::decode(as_bytes(text)).snapshot.find("a")->value->get<int>(), 1);
}

TEST(Checkpoint, NewerFormatIsAStateError) {
  const std::string text =
      R"({"format_version":2,"mode":"full","name":"g","seq":0,"snapshot":{"name":"g","nodes":{}},"timestamp_ns":0})";
  EXPECT_THROW((void)CheckpointCodec::decode(as_bytes(text)), StateError);
}

}  // namespace
}  // namespace holdfast
