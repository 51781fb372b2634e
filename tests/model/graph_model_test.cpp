// Random changes, attachments and crashes: what is restored is what a plain map says was acknowledged.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "holdfast/backend/memory.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/graph/attach.hpp"
#include "holdfast/graph/history.hpp"
#include "holdfast/graph/restore.hpp"
#include "holdfast/graph/state_graph.hpp"
#include "support/faulty_backend.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

using testing::FaultyBackend;
using Kind = NodeStatus::Kind;

/// A graph as a user thinks of it: nodes by path, and the paths of subgraphs.
struct Model {
  struct Node {
    std::optional<int> value{};
    Kind kind = Kind::sentinel;
    bool operator==(const Node&) const = default;
  };
  std::map<std::string, Node> nodes{};
  std::set<std::string> mounts{};
  bool operator==(const Model&) const = default;

  [[nodiscard]] bool ended(const std::string& path) const {
    const auto found = nodes.find(path);
    return found != nodes.end() && (found->second.kind == Kind::completed || found->second.kind == Kind::errored);
  }
  [[nodiscard]] bool has_owner(const std::string& path) const {
    const std::string owner(split_path(path).owner);
    return owner.empty() || mounts.contains(owner);
  }
};

void flatten(const GraphSnapshot& graph, const std::string& at, Model& out) {
  for (const auto& [name, slice] : graph.nodes) {
    auto& node = out.nodes[join_path(at, name)];
    if (slice.value) node.value = slice.value->get<int>();
    node.kind = slice.status.kind;
  }
  for (const auto& [name, subgraph] : graph.subgraphs) {
    out.mounts.insert(join_path(at, name));
    flatten(subgraph, join_path(at, name), out);
  }
}

Model model_of(const GraphSnapshot& graph) {
  Model model;
  flatten(graph, {}, model);
  return model;
}

/// One random change on both; refused by neither or by both.
void change(std::mt19937_64& random, StateGraph& graph, Model& model) {
  static const std::string mounts[] = {"m", "m::k"};
  static const std::string owners[] = {"", "m", "m::k"};
  const std::string path = join_path(owners[random() % 3], std::string(1, static_cast<char>('a' + random() % 4)));
  const std::string& mount = mounts[random() % 2];
  const int value = static_cast<int>(random() % 100);
  switch (random() % 8) {
    case 0:
    case 1:
    case 2:
      if (!model.has_owner(path) || model.ended(path)) {
        EXPECT_THROW(graph.set(path, value), Error);
      } else {
        graph.set(path, value);
        model.nodes[path] = {value, Kind::live};
      }
      break;
    case 3: EXPECT_EQ(graph.remove(path), model.nodes.erase(path) == 1); break;
    case 4:
      if (model.ended(path)) {
        EXPECT_THROW(graph.invalidate(path), Error);
      } else if (graph.invalidate(path)) {
        model.nodes.at(path) = {};
      } else {
        EXPECT_FALSE(model.nodes.contains(path));
      }
      break;
    case 5: {
      const bool completes = random() % 2 == 0;
      if (completes ? graph.complete(path) : graph.fail(path)) {
        model.nodes.at(path).kind = completes ? Kind::completed : Kind::errored;
      } else {
        EXPECT_FALSE(model.nodes.contains(path));
      }
      break;
    }
    case 6:
      if (!model.has_owner(mount) || model.mounts.contains(mount)) {
        EXPECT_THROW(graph.mount(mount, {.name = "sub"}), Error);
      } else {
        graph.mount(mount, {.name = "sub" + std::to_string(value % 2)});
        model.mounts.insert(mount);
      }
      break;
    default:
      EXPECT_EQ(graph.unmount(mount), model.mounts.erase(mount) == 1);
      std::erase_if(model.mounts, [&](const auto& other) { return other.starts_with(mount + "::"); });
      std::erase_if(model.nodes, [&](const auto& node) { return node.first.starts_with(mount + "::"); });
  }
}

AttachOptions random_options(std::mt19937_64& random) {
  AttachOptions options{.existing = Existing::restore, .checkpoint_every = 1 + random() % 5};
  options.checkpoint_ratio = random() % 2 == 0 ? 0 : 1;
  if (random() % 2 == 0) options.retention = Retention::latest(1 + random() % 3);
  if (random() % 4 == 0) options.retention = Retention::everything();
  options.on_error = [](std::exception_ptr) {};
  return options;
}

void run_life(std::mt19937_64& random) {
  const auto inner = std::make_shared<MemoryBackend>();
  const auto backend = std::make_shared<FaultyBackend>(inner);
  const auto log = random() % 3 == 0 ? std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>()) : backend;
  Model model;
  for (int session = 0; session < 6; ++session) {
    const bool debounce = random() % 2 == 0;
    const GraphStorage storage(CheckpointTier(backend, {.name = "g", .debounce = debounce}),
                               WalTier(log, {.prefix = "g/wal/"}));
    StateGraph graph("g");
    auto saved = attach(graph, storage, random_options(random));
    ASSERT_EQ(model_of(graph.snapshot()), model);
    Model acknowledged = model;
    for (int step = 0; step < 30; ++step) {
      if (random() % 3 == 0) {
        graph.batch([&] {
          for (std::uint64_t i = random() % 6; i > 0; --i) change(random, graph, model);
        });
      } else {
        change(random, graph, model);
      }
      if (random() % 10 == 0)
        backend->fail_call(1 + random() % 3,
                           random() % 2 == 0 ? FaultyBackend::Moment::before : FaultyBackend::Moment::after);
      if (random() % 10 == 0) backend->heal();
      if (random() % 5 == 0) {
        backend->heal();
        saved.flush_all();
        acknowledged = model;
        StateGraph witness("g");
        const auto result = restore(witness, storage);
        ASSERT_TRUE(result);
        ASSERT_EQ(witness.snapshot(), graph.snapshot());
        ASSERT_EQ(result->torn + result->skipped, 0U);
        ASSERT_EQ(model_of(witness.snapshot()), model);
      }
    }
    backend->heal();
    // The crash: what was not flushed may be gone, what was may not.
    saved.dispose();
    StateGraph survivor("g");
    ASSERT_TRUE(restore(survivor, storage));
    model = model_of(survivor.snapshot());
    if (debounce && model != acknowledged) {
      ADD_FAILURE() << "a debounced change was stored without a flush";
    }
    ASSERT_NO_THROW((void)history("g", storage));
  }
}

TEST(GraphModel, RestoredEqualsTheModelThroughFailuresAndCrashes) {
  std::mt19937_64 random(testing::test_seed());
  for (int life = 0; life < 60 && !::testing::Test::HasFailure(); ++life) run_life(random);
}

}  // namespace
}  // namespace holdfast
