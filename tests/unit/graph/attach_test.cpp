#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph_fixture.hpp"
#include "holdfast/core/error.hpp"
#include "support/faulty_backend.hpp"
#include "support/unlistable_backend.hpp"

namespace holdfast {
namespace {

using testing::FaultyBackend;
using testing::frame_count;
using testing::no_more_checkpoints;
using testing::plain_cadence_of_three;
using testing::restored;
using testing::stored_checkpoint_seq;
using testing::stored_keys;

TEST(Attach, CheckpointsAtFlushesOneThreeSixNineAndFramesBetween) {
  const auto backend = std::make_shared<MemoryBackend>();
  StateGraph graph("g");
  const auto saved = attach(graph, GraphStorage(backend, "g"), plain_cadence_of_three);
  std::vector<std::uint64_t> checkpoints;
  std::vector<std::uint64_t> frames;
  for (int flush = 2; flush <= 10; ++flush) {
    graph.set("x", flush);
    checkpoints.push_back(stored_checkpoint_seq(*backend));
    frames.push_back(frame_count(*backend));
    EXPECT_EQ(restored(GraphStorage(backend, "g")), graph.snapshot());
  }
  EXPECT_EQ(checkpoints, (std::vector<std::uint64_t>{0, 2, 2, 2, 5, 5, 5, 8, 8}));
  EXPECT_EQ(frames, (std::vector<std::uint64_t>{1, 0, 1, 2, 0, 1, 2, 0, 1}));
}

TEST(Attach, CheckpointWaitsUntilFramesWeighAsMuch) {
  const auto backend = std::make_shared<MemoryBackend>();
  StateGraph graph("g");
  graph.set("big", std::string(10'000, 'x'));
  const auto saved = attach(graph, GraphStorage(backend, "g"), {.checkpoint_every = 1});
  graph.set("x", 1);
  graph.set("x", 2);
  EXPECT_EQ(frame_count(*backend), 2U);
  for (int i = 0; i < 60; ++i) graph.set("x", 10 + i);
  EXPECT_LT(frame_count(*backend), 60U);
}

TEST(Attach, WithoutAWalTierEveryFlushIsFull) {
  const auto backend = std::make_shared<MemoryBackend>();
  const CheckpointTier tier(backend, {.name = "g"});
  StateGraph graph("g");
  const auto saved = attach(graph, GraphStorage(tier));
  graph.set("x", 1);
  EXPECT_EQ(stored_keys(*backend), std::vector<std::string>{"g"});
  EXPECT_EQ(tier.load()->snapshot, graph.snapshot());
}

TEST(Attach, ReattachAfterRestoreContinuesAndAFreshGraphIsRefused) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  {
    StateGraph graph("g");
    const auto saved = attach(graph, storage, no_more_checkpoints);
    graph.set("x", 1);
  }
  const auto before = stored_keys(*backend);
  StateGraph fresh("g");
  fresh.set("x", 99);
  EXPECT_THROW((void)attach(fresh, storage), StateError);
  EXPECT_EQ(stored_keys(*backend), before);
  EXPECT_EQ(restored(storage).find("x")->value->get<int>(), 1);

  StateGraph graph("g");
  ASSERT_TRUE(restore(graph, storage));
  const auto saved = attach(graph, storage, no_more_checkpoints);
  EXPECT_EQ(saved.last_sequence(), 1U);
  graph.set("x", 2);
  EXPECT_EQ(saved.last_sequence(), 2U);
  EXPECT_EQ(restored(storage), graph.snapshot());
}

TEST(Attach, AGraphRestoredBeforeOthersWroteIsRefused) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  StateGraph writer("g");
  const auto saved = attach(writer, storage);
  StateGraph late("g");
  ASSERT_TRUE(restore(late, storage));
  writer.set("x", 1);
  EXPECT_THROW((void)attach(late, storage), StateError);
}

TEST(Attach, ExistingRestoreTakesOverAndReplaceKeepsTheOldCheckpointInTheHistory) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  {
    StateGraph graph("g");
    graph.set("x", 1);
    const auto saved = attach(graph, storage);
  }
  {
    StateGraph graph("g");
    const auto saved = attach(graph, storage, {.existing = Existing::restore});
    EXPECT_EQ(graph.get("x"), Json(1));
  }
  StateGraph other("g");
  other.set("y", 2);
  const auto saved = attach(other, storage, {.existing = Existing::replace});
  EXPECT_EQ(restored(storage), other.snapshot());
  EXPECT_EQ(restored(storage, {.target_seq = 0}).find("x")->value->get<int>(), 1);
  other.set("y", 3);
  EXPECT_EQ(restored(storage), other.snapshot());
}

TEST(Attach, DisposeEndsPersistence) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  StateGraph graph("g");
  auto saved = attach(graph, storage);
  graph.set("x", 1);
  saved.dispose();
  graph.set("x", 2);
  saved.flush_all();
  EXPECT_EQ(restored(storage).find("x")->value->get<int>(), 1);
}

TEST(Attach, DebouncedChangesAreInvisibleUntilFlushAll) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(CheckpointTier(backend, {.name = "g", .debounce = true}),
                             WalTier(backend, {.prefix = "g/wal/"}));
  StateGraph graph("g");
  auto saved = attach(graph, storage);
  graph.set("x", 1);
  graph.set("x", 2);
  EXPECT_TRUE(saved.has_pending());
  EXPECT_EQ(restored(storage).find("x"), nullptr);
  saved.flush_all();
  EXPECT_FALSE(saved.has_pending());
  EXPECT_EQ(restored(storage).find("x")->value->get<int>(), 2);
  EXPECT_EQ(frame_count(*backend), 1U) << "one frame for the node, whatever happened to it meanwhile";
  EXPECT_THROW(graph.batch([&] { saved.flush_all(); }), StateError);
}

TEST(Attach, FilteredPathsAreInNeitherFramesNorCheckpoints) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  StateGraph graph("g");
  graph.mount("secret", {.name = "s"});
  graph.set("secret::x", "hidden");
  auto options = plain_cadence_of_three;
  options.filter = [](std::string_view path) { return path != "secret" && path != "password"; };
  const auto saved = attach(graph, storage, options);
  for (int i = 0; i < 5; ++i) {
    graph.batch([&] {
      graph.set("secret::x", "hidden" + std::to_string(i));
      graph.set("password", "hidden");
      graph.set("x", i);
    });
    for (const auto& key : stored_keys(*backend)) {
      const std::string text = to_text(backend->read(key).value());
      EXPECT_EQ(text.find("hidden"), std::string::npos) << key;
      EXPECT_EQ(text.find("secret"), std::string::npos) << key;
    }
  }
  graph.set("password", "again");
  EXPECT_EQ(restored(storage).nodes.size(), 1U);
}

TEST(Attach, RetentionKeepsAsManyCheckpointsAsAskedAndTheirFrames) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  auto options = plain_cadence_of_three;
  options.retention = Retention::latest(2);
  StateGraph graph("g");
  const auto saved = attach(graph, storage, options);
  for (int flush = 2; flush <= 9; ++flush) graph.set("x", flush);
  EXPECT_EQ(stored_keys(*backend, "g/history/"), std::vector<std::string>{"g/history/00000000000000000005"});
  for (std::uint64_t seq = 5; seq <= 8; ++seq) {
    EXPECT_EQ(restored(storage, {.target_seq = seq}).find("x")->value->get<std::uint64_t>(), seq + 1);
  }
  EXPECT_THROW(restored(storage, {.target_seq = 4}), RestoreError);
}

TEST(Attach, RetentionByAgeKeepsTheWayBackToItsHorizon) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  const auto clock = std::make_shared<testing::SetClock>();
  const auto start = clock->time;
  StateGraph graph("g");
  const auto saved = attach(graph, storage,
                            {.checkpoint_every = 1,
                             .checkpoint_ratio = 0,
                             .retention = Retention::younger_than(std::chrono::seconds(35)),
                             .clock = clock});
  for (int i = 1; i <= 10; ++i) {
    clock->time = start + std::chrono::seconds(10 * i);
    graph.set("x", i);
  }
  EXPECT_EQ(restored(storage, {.target_time = start + std::chrono::seconds(65)}).find("x")->value->get<int>(), 6);
  EXPECT_THROW(restored(storage, {.target_time = start + std::chrono::seconds(55)}), RestoreError);
}

TEST(Attach, ErrorCallbackIsCalledWithoutLocksAndTheNextFlushCarriesTheChange) {
  const auto inner = std::make_shared<MemoryBackend>();
  const auto backend = std::make_shared<FaultyBackend>(inner);
  const GraphStorage storage(backend, "g");
  StateGraph graph("g");
  int errors = 0;
  AttachOptions options;
  options.on_error = [&](std::exception_ptr) {
    ++errors;
    if (errors == 1) {
      backend->heal();
      graph.set("from callback", 1);
    }
  };
  const auto saved = attach(graph, storage, options);
  backend->fail_every(FaultyBackend::Operation::apply);
  graph.set("x", 1);
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(restored(storage), graph.snapshot());
}

TEST(Attach, SeveralStoragesShareSequenceNumbersAndTheFirstSoundOneRestores) {
  const auto hot = std::make_shared<MemoryBackend>();
  const auto cold = std::make_shared<MemoryBackend>();
  const std::vector<GraphStorage> storages = {GraphStorage(hot, "g"), GraphStorage(cold, "g")};
  StateGraph graph("g");
  {
    const auto saved = attach(graph, storages, no_more_checkpoints);
    graph.set("x", 1);
    graph.set("x", 2);
    EXPECT_EQ(stored_keys(*hot), stored_keys(*cold));
  }
  hot->write("g/wal/00000000000000000001", as_bytes("torn"));
  StateGraph again("g");
  const auto result = restore_from(again, storages);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->source, 1U);
  EXPECT_EQ(result->source_errors.size(), 1U);
  EXPECT_EQ(again.snapshot(), graph.snapshot());
  EXPECT_THROW((void)attach(again, storages), StateError) << "the damaged one is not written over unasked";
}

TEST(Attach, FlusherDrainsUntilTheAttachmentIsGone) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(CheckpointTier(backend, {.name = "g", .debounce = true}),
                             WalTier(backend, {.prefix = "g/wal/"}));
  StateGraph graph("g");
  Flusher flusher({.interval = std::chrono::milliseconds(1), .on_error = [](std::exception_ptr) {}});
  {
    const auto saved = attach(graph, storage);
    saved.flush_with(flusher);
    graph.set("x", 1);
    while (saved.has_pending() || saved.last_sequence() == 0) std::this_thread::yield();
    EXPECT_EQ(restored(storage), graph.snapshot());
  }
  flusher.stop();
}

TEST(Attach, CadenceIsByDefaultTheCheckpointTiersCompactEveryElseTen) {
  const auto flushes_until_the_second_checkpoint = [](std::optional<std::size_t> compact_every) {
    const auto backend = std::make_shared<MemoryBackend>();
    const GraphStorage storage(CheckpointTier(backend, {.name = "g", .compact_every = compact_every}),
                               WalTier(backend, {.prefix = "g/wal/"}));
    StateGraph graph("g");
    const auto saved = attach(graph, storage, {.checkpoint_ratio = 0});
    int flushes = 1;
    while (stored_checkpoint_seq(*backend) == 0 && flushes < 100) graph.set("x", ++flushes);
    return flushes;
  };
  EXPECT_EQ(flushes_until_the_second_checkpoint(4), 4);
  EXPECT_EQ(flushes_until_the_second_checkpoint(std::nullopt), 10);
}

TEST(Attach, ANewStorageBesideAnOldOneGoesOnWithItsNumbers) {
  const GraphStorage old(std::make_shared<MemoryBackend>(), "g");
  const auto fresh_backend = std::make_shared<MemoryBackend>();
  const GraphStorage fresh(fresh_backend, "g");
  StateGraph graph("g");
  {
    const auto saved = attach(graph, old, no_more_checkpoints);
    for (int i = 1; i <= 5; ++i) graph.set("x", i);
  }
  ASSERT_TRUE(restore_from(graph, {fresh, old}));
  const auto saved = attach(graph, {fresh, old}, no_more_checkpoints);
  graph.set("x", 6);
  EXPECT_EQ(stored_keys(*fresh_backend, "g/wal/"), std::vector<std::string>{frame_key("g", 6)});
  EXPECT_EQ(restored(fresh), graph.snapshot());
  EXPECT_EQ(restored(old), graph.snapshot());
}

TEST(Attach, WhereTheHighestNumberCannotBeReadTheGraphIsNotTied) {
  const auto inner = std::make_shared<MemoryBackend>();
  const auto faulty = std::make_shared<FaultyBackend>(inner);
  const auto unlistable = std::make_shared<testing::UnlistableBackend>(inner);
  StateGraph graph("g");
  for (const auto operation : {FaultyBackend::Operation::snapshot, FaultyBackend::Operation::apply}) {
    faulty->fail_every(operation);
    EXPECT_THROW((void)attach(graph, GraphStorage(faulty, "g")), IoError);
  }
  EXPECT_THROW((void)attach(graph, GraphStorage(unlistable, "g")), UnsupportedError);
  graph.set("x", 1);
  EXPECT_TRUE(stored_keys(*inner).empty());
  const auto saved = attach(graph, GraphStorage(CheckpointTier(unlistable, {.name = "g"})));
  graph.set("x", 2);
  EXPECT_EQ(restored(GraphStorage(CheckpointTier(inner, {.name = "g"}))), graph.snapshot()) << "this takes no listing";
}

TEST(Attach, ANumberThatNoneFollowsIsALimitAndWhatFollowsItIsNeverStoredBelow) {
  const auto backend = std::make_shared<MemoryBackend>();
  const GraphStorage storage(backend, "g");
  StateGraph graph("g");
  { const auto saved = attach(graph, storage); }
  backend->write("g/wal/18446744073709551615", as_bytes("torn"));
  const auto saved = attach(graph, storage, {.existing = Existing::restore, .checkpoint_every = 1000});
  EXPECT_THROW(graph.set("x", 1), LimitError);
  EXPECT_TRUE(saved.has_pending());
  graph.set("x", 2);
  EXPECT_EQ(restored(storage), graph.snapshot()) << "a checkpoint needs no number of its own";
}

TEST(Attach, OneFlushIsOneBatchOnOneBackendAndFramesThenCheckpointThenPruningOnTwo) {
  std::vector<std::string> calls;
  const auto record_as = [&calls](const std::string& name) {
    return [&calls, name](const FaultyBackend::Call& call) {
      if (call.operation == FaultyBackend::Operation::flush) calls.push_back(name + " flush");
      if (call.operation != FaultyBackend::Operation::apply) return false;
      const auto puts = [](const auto& write) { return write.value.has_value(); };
      const auto& writes = call.batch->writes();
      calls.push_back(name + (std::none_of(writes.begin(), writes.end(), puts) ? " erases" : " writes"));
      return false;
    };
  };
  const auto calls_of_flushes = [&](const GraphStorage& storage) {
    StateGraph graph("g");
    const auto saved =
        attach(graph, storage, {.checkpoint_every = 2, .checkpoint_ratio = 0, .retention = Retention::latest(2)});
    for (int i = 2; i <= 5; ++i) graph.set("x", i);
    calls.clear();
    graph.set("x", 6);
    graph.set("x", 7);
    return calls;
  };
  const auto recording_as = [&](const std::string& name) {
    const auto backend = std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>());
    backend->fail_when(record_as(name));
    return backend;
  };
  EXPECT_EQ(calls_of_flushes(GraphStorage(recording_as("one"), "g")),
            (std::vector<std::string>{"one writes", "one writes"}));
  EXPECT_EQ(calls_of_flushes(GraphStorage(CheckpointTier(recording_as("checkpoint"), {.name = "g"}),
                                          WalTier(recording_as("log"), {.prefix = "g/wal/"}))),
            (std::vector<std::string>{"log writes", "log flush", "checkpoint writes", "checkpoint flush", "log erases",
                                      "checkpoint erases", "log writes"}));
}

TEST(Attach, OptionsThatCannotBeUsedAreRefused) {
  const auto backend = std::make_shared<MemoryBackend>();
  StateGraph graph("g");
  EXPECT_THROW((void)attach(graph, std::vector<GraphStorage>{}), OptionError);
  EXPECT_THROW((void)attach(graph, GraphStorage(backend, "g"), {.checkpoint_every = 0}), OptionError);
  EXPECT_THROW((void)attach(graph, GraphStorage(backend, "other")), OptionError);
  EXPECT_THROW((void)attach(graph, {GraphStorage(backend, "g"), GraphStorage(backend, "g")}), OptionError);
}

}  // namespace
}  // namespace holdfast
