// What an application hands in may throw, come back in, or end the attachment: nothing that was changed is lost.
#include <gtest/gtest.h>

#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

#include "graph_fixture.hpp"
#include "holdfast/core/error.hpp"
#include "support/faulty_backend.hpp"

namespace holdfast {
namespace {

using testing::FaultyBackend;
using testing::frame_count;
using testing::no_more_checkpoints;
using testing::plain_cadence_of_three;
using testing::restored;
using testing::stored_keys;

class AttachCallbacks : public ::testing::Test {
 protected:
  std::shared_ptr<FaultyBackend> backend = std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>());
  GraphStorage storage{backend, "g"};
  StateGraph graph{"g"};
};

TEST_F(AttachCallbacks, AFilterThatThrowsIsHeardAndLosesNothing) {
  bool throws = false;
  auto options = no_more_checkpoints;
  options.filter = [&](std::string_view path) {
    if (throws) throw std::runtime_error("filter");
    return path != "secret";
  };
  const auto saved = attach(graph, storage, options);
  throws = true;
  EXPECT_THROW(graph.set("x", 1), std::runtime_error);
  EXPECT_EQ(graph.get("x"), Json(1)) << "the change has happened";
  EXPECT_TRUE(saved.has_pending());
  throws = false;
  graph.set("y", 2);
  EXPECT_FALSE(saved.has_pending());
  EXPECT_EQ(restored(storage), graph.snapshot());
  graph.set("secret", 3);
  graph.set("y", 4);
  EXPECT_EQ(frame_count(*backend), 1U) << "frames again, for what the filter takes";
  EXPECT_EQ(restored(storage).find("secret"), nullptr);
}

TEST_F(AttachCallbacks, ObserversThatThrowKeepNeitherStorageNorOthersFromHearing) {
  const auto first = graph.observe([](const GraphCommit&) { throw std::runtime_error("first"); });
  const auto saved = attach(graph, storage, plain_cadence_of_three);
  int heard = 0;
  const auto second = graph.observe([&](const GraphCommit&) {
    ++heard;
    throw std::logic_error("second");
  });
  for (int i = 1; i <= 5; ++i) {
    EXPECT_THROW(graph.set("x", i), std::runtime_error) << "the first that was thrown";
    EXPECT_EQ(heard, i);
    EXPECT_EQ(restored(storage), graph.snapshot());
  }
}

TEST_F(AttachCallbacks, ObserversThatChangeTheGraphAreStoredInTheOrderOfTheirChanges) {
  const auto saved = attach(graph, storage, no_more_checkpoints);
  const auto echo = graph.observe([&](const GraphCommit&) {
    const int level = graph.node<int>("level").get().value_or(0);
    if (level < 20) graph.set("level", level + 1);
  });
  graph.set("x", 1);
  EXPECT_EQ(graph.get("level"), Json(20));
  EXPECT_EQ(restored(storage), graph.snapshot());
  EXPECT_EQ(*restored(storage, {.target_seq = 11}).find("level")->value, Json(10));
}

TEST_F(AttachCallbacks, AnErrorCallbackThatThrowsIsThrownByTheChange) {
  auto options = no_more_checkpoints;
  options.on_error = [](std::exception_ptr error) {
    EXPECT_THROW(std::rethrow_exception(error), IoError);
    throw std::runtime_error("from on_error");
  };
  const auto saved = attach(graph, storage, options);
  backend->fail_call(1);
  EXPECT_THROW(graph.set("x", 1), std::runtime_error);
  EXPECT_EQ(graph.get("x"), Json(1));
  graph.set("y", 1);
  EXPECT_EQ(restored(storage), graph.snapshot());
}

TEST_F(AttachCallbacks, AnAttachmentMayEndInItsErrorCallbackAndInAnObserver) {
  std::optional<Attachment> saved;
  auto options = no_more_checkpoints;
  options.on_error = [&](std::exception_ptr) { saved.reset(); };
  saved.emplace(attach(graph, storage, options));
  backend->fail_every(FaultyBackend::Operation::apply);
  graph.set("x", 1);
  EXPECT_FALSE(saved);
  backend->heal();
  graph.set("x", 2);
  EXPECT_EQ(restored(storage).find("x"), nullptr) << "nobody stores any more";

  saved.emplace(attach(graph, storage, {.existing = Existing::replace}));
  const auto ending = graph.observe([&](const GraphCommit&) { saved.reset(); });
  graph.set("x", 3);
  graph.set("x", 4);
  EXPECT_EQ(*restored(storage).find("x")->value, Json(3));
}

TEST_F(AttachCallbacks, WhatNoGraphMayHoldIsRefusedWhenAWholeStateIsPutInItsPlace) {
  graph.set("kept", 1);
  const GraphSnapshot before = graph.snapshot();
  const auto saved = attach(graph, storage);
  const auto refuse = [&](GraphSnapshot state) {
    EXPECT_THROW(graph.replace(std::move(state)), Error);
    EXPECT_EQ(graph.snapshot(), before);
  };
  refuse({.nodes = {{"nan", {.value = node_value(std::numeric_limits<double>::quiet_NaN())}}}});
  refuse({.nodes = {{"", {}}}});
  refuse({.nodes = {{"a::b", {}}}});
  refuse({.nodes = {{"\xFF", {}}}});
  refuse({.nodes = {{"x", {.deps = {"\xFF"}}}}});
  refuse({.subgraphs = {{"m", {.name = "m", .nodes = {{"a::b", {}}}}}}});
  graph.replace({.nodes = {{"x", {.value = node_value(1)}}}});
  EXPECT_EQ(restored(storage), graph.snapshot());
}

TEST_F(AttachCallbacks, OneBatchOfAHundredThousandChangesIsOneFlush) {
  const auto saved = attach(graph, storage, no_more_checkpoints);
  graph.mount("m", {.name = "m"});
  graph.batch([&] {
    for (int i = 0; i < 100'000; ++i) graph.set("m::node " + std::to_string(i), i);
  });
  EXPECT_EQ(saved.last_sequence(), 100'001U);
  EXPECT_EQ(history("g", storage).size(), 3U);
  EXPECT_EQ(restored(storage), graph.snapshot());
}

}  // namespace
}  // namespace holdfast
