// Random changes, attachments, failures and crashes: what is restored is what a plain map says was acknowledged.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/backend/memory.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/graph/attach.hpp"
#include "holdfast/graph/history.hpp"
#include "holdfast/graph/restore.hpp"
#include "holdfast/graph/state_graph.hpp"
#include "support/faulty_backend.hpp"
#include "support/seed.hpp"

namespace holdfast::testing {
namespace {

using Kind = NodeStatus::Kind;

constexpr std::array<std::string_view, 9> paths = {"a", "b", "c", "m::a", "m::b", "m::c", "m::k::a", "m::k::b", "m"};
constexpr std::array<std::string_view, 2> mounts = {"m", "m::k"};

/// A graph as a user thinks of it: nodes by path, and the paths of subgraphs.
struct Model {
  struct Node {
    std::optional<int> value{};
    Kind kind = Kind::sentinel;
    bool operator==(const Node&) const = default;
  };
  std::map<std::string, Node> nodes{};
  std::map<std::string, std::string> mounts{};
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
    out.mounts[join_path(at, name)] = subgraph.name;
    flatten(subgraph, join_path(at, name), out);
  }
}

Model model_of(const GraphSnapshot& graph) {
  Model model;
  flatten(graph, {}, model);
  return model;
}

/// What a filter that refuses one path leaves of it.
Model without(Model model, const std::string& refused) {
  const auto is_refused = [&](const auto& item) {
    return item.first == refused || item.first.starts_with(refused + "::");
  };
  std::erase_if(model.nodes, is_refused);
  std::erase_if(model.mounts, is_refused);
  return model;
}

enum class Verb { set, remove, invalidate, complete, fail, mount, unmount };
constexpr std::array<const char*, 7> verb_names = {"set",  "remove", "invalidate", "complete",
                                                   "fail", "mount",  "unmount"};

struct Change {
  Verb verb = Verb::set;
  std::size_t place = 0;
  int value = 0;
};

enum class StepKind { change, batch, fault, heal, flush };

struct Step {
  StepKind kind = StepKind::change;
  std::vector<Change> changes{};
  std::size_t backend = 0;  ///< which one fails
  std::size_t call = 1;     ///< at which call
  bool after = false;       ///< having taken effect
};

/// From an attachment to a crash.
struct Session {
  std::size_t checkpoint_every = 1;
  bool ratio = false;
  std::size_t retention = 0;  ///< so many checkpoints; 0: all
  bool debounce = false;
  std::size_t refused = 0;  ///< which path its filter refuses
  std::vector<Step> steps{};
};

enum class Layout { one_backend, two_backends, no_log, two_pairs };
constexpr std::array<std::string_view, 4> refusals = {"", "b", "m", "m::k"};

std::ostream& operator<<(std::ostream& out, const Change& change) {
  return out << verb_names[static_cast<std::size_t>(change.verb)] << ' ' << paths[change.place] << ' ' << change.value
             << "; ";
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
  switch (step.kind) {
    case StepKind::change:
    case StepKind::batch:
      out << (step.kind == StepKind::batch ? "batch(" : "each(");
      for (const Change& change : step.changes) out << change;
      return out << ')';
    case StepKind::fault:
      return out << "call " << step.call << " of backend " << step.backend << " fails "
                 << (step.after ? "after" : "before") << " the fact";
    case StepKind::heal: return out << "heal";
    case StepKind::flush: return out << "flush";
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const Session& session) {
  out << "session{every " << session.checkpoint_every << (session.ratio ? ", ratio" : "") << ", keep "
      << session.retention << (session.debounce ? ", debounce" : "") << ", refuse '" << refusals[session.refused]
      << "':";
  for (const Step& step : session.steps) out << "\n  " << step;
  return out << "}\n";
}

rc::Gen<Change> any_change() {
  return rc::gen::build<Change>(rc::gen::set(&Change::verb, rc::gen::weightedElement<Verb>({{6, Verb::set},
                                                                                            {2, Verb::remove},
                                                                                            {1, Verb::invalidate},
                                                                                            {1, Verb::complete},
                                                                                            {1, Verb::fail},
                                                                                            {3, Verb::mount},
                                                                                            {2, Verb::unmount}})),
                                rc::gen::set(&Change::place, rc::gen::inRange<std::size_t>(0, paths.size())),
                                rc::gen::set(&Change::value, rc::gen::inRange(0, 100)));
}

rc::Gen<Step> any_step() {
  const auto kind = rc::gen::weightedElement<StepKind>(
      {{10, StepKind::change}, {6, StepKind::batch}, {2, StepKind::fault}, {1, StepKind::heal}, {3, StepKind::flush}});
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, kind),
      rc::gen::set(&Step::changes, rc::gen::resize(6, rc::gen::container<std::vector<Change>>(any_change()))),
      rc::gen::set(&Step::backend, rc::gen::inRange<std::size_t>(0, 3)),
      rc::gen::set(&Step::call, rc::gen::inRange<std::size_t>(1, 5)), rc::gen::set(&Step::after));
}

rc::Gen<Session> any_session() {
  return rc::gen::build<Session>(
      rc::gen::set(&Session::checkpoint_every, rc::gen::inRange<std::size_t>(1, 6)), rc::gen::set(&Session::ratio),
      rc::gen::set(&Session::retention, rc::gen::inRange<std::size_t>(0, 4)), rc::gen::set(&Session::debounce),
      rc::gen::set(&Session::refused,
                   rc::gen::weightedElement<std::size_t>(
                       {{5, std::size_t{0}}, {1, std::size_t{1}}, {1, std::size_t{2}}, {1, std::size_t{3}}})),
      rc::gen::set(&Session::steps, rc::gen::container<std::vector<Step>>(any_step())));
}

/// One change on both: refused by both, or by neither.
void make(const Change& change, StateGraph& graph, Model& model) {
  const std::string path(paths[change.place]);
  const std::string mount(mounts[change.place % mounts.size()]);
  switch (change.verb) {
    case Verb::set:
      if (!model.has_owner(path) || model.ended(path) || model.mounts.contains(path)) {
        RC_ASSERT_THROWS_AS(graph.set(path, change.value), Error);
      } else {
        graph.set(path, change.value);
        model.nodes[path] = {change.value, Kind::live};
      }
      break;
    case Verb::remove: RC_ASSERT(graph.remove(path) == (model.nodes.erase(path) == 1)); break;
    case Verb::invalidate:
      if (model.ended(path)) {
        RC_ASSERT_THROWS_AS(graph.invalidate(path), Error);
      } else {
        RC_ASSERT(graph.invalidate(path) == model.nodes.contains(path));
        if (model.nodes.contains(path)) model.nodes[path] = {};
      }
      break;
    case Verb::complete:
    case Verb::fail: {
      const bool existed = change.verb == Verb::complete ? graph.complete(path) : graph.fail(path);
      RC_ASSERT(existed == model.nodes.contains(path));
      if (existed) model.nodes[path].kind = change.verb == Verb::complete ? Kind::completed : Kind::errored;
      break;
    }
    case Verb::mount: {
      const std::string name = "sub" + std::to_string(change.value % 2);
      if (!model.has_owner(mount) || model.mounts.contains(mount) || model.nodes.contains(mount)) {
        RC_ASSERT_THROWS_AS(graph.mount(mount, {.name = name}), Error);
      } else {
        graph.mount(mount, {.name = name});
        model.mounts[mount] = name;
      }
      break;
    }
    case Verb::unmount:
      RC_ASSERT(graph.unmount(mount) == model.mounts.contains(mount));
      if (model.mounts.contains(mount)) model = without(std::move(model), mount);
      break;
  }
}

/// The backends of one graph's life, and how it is kept on them.
struct Place {
  explicit Place(Layout given_layout) : layout(given_layout) {
    for (auto& backend : backends) backend = std::make_shared<FaultyBackend>(std::make_shared<MemoryBackend>());
  }

  [[nodiscard]] std::vector<GraphStorage> storages(bool debounce) const {
    const CheckpointTier hot(backends[0], {.name = "g", .debounce = debounce});
    if (layout == Layout::no_log) return {GraphStorage(hot)};
    const auto& log = layout == Layout::two_backends ? backends[1] : backends[0];
    std::vector<GraphStorage> storages = {GraphStorage(hot, WalTier(log, {.prefix = "g/wal/"}))};
    if (layout == Layout::two_pairs) storages.emplace_back(backends[1], "g");
    return storages;
  }
  void heal() const {
    for (const auto& backend : backends) backend->heal();
  }

  Layout layout;
  std::array<std::shared_ptr<FaultyBackend>, 2> backends;
};

AttachOptions options_of(const Session& session) {
  AttachOptions options{.existing = Existing::restore,
                        .on_error = [](std::exception_ptr) {},
                        .checkpoint_every = session.checkpoint_every,
                        .checkpoint_ratio = session.ratio ? 1.0 : 0.0};
  options.retention = session.retention == 0 ? Retention::everything() : Retention::latest(session.retention);
  if (session.refused != 0) {
    options.filter = [refused = refusals[session.refused]](std::string_view path) { return path != refused; };
  }
  return options;
}

/// Runs a session from the state that `model` is; `model` is afterwards what was found after the crash.
void run(const Session& session, const Place& place, Model& model) {
  const auto storages = place.storages(session.debounce);
  const auto stored_part = [&](const Model& whole) { return without(whole, std::string(refusals[session.refused])); };
  StateGraph graph("g");
  auto saved = attach(graph, storages, options_of(session));
  RC_ASSERT(model_of(graph.snapshot()) == model);
  std::vector<Model> possible = {model};  // that a crash may leave: what was acknowledged, and what came after it
  const auto committed = [&] {
    if (session.debounce) return;
    if (!saved.has_pending()) possible.clear();
    possible.push_back(model);
  };
  for (const Step& step : session.steps) {
    switch (step.kind) {
      case StepKind::change:
        for (const Change& change : step.changes) {
          make(change, graph, model);
          committed();
        }
        break;
      case StepKind::batch:
        graph.batch([&] {
          for (const Change& change : step.changes) make(change, graph, model);
        });
        committed();
        break;
      case StepKind::fault:
        place.backends[step.backend % 2]->fail_call(
            step.call, step.after ? FaultyBackend::Moment::after : FaultyBackend::Moment::before);
        break;
      case StepKind::heal: place.heal(); break;
      case StepKind::flush:
        place.heal();
        saved.flush_all();
        possible = {model};
        for (const auto& storage : storages) {
          StateGraph witness("g");
          const auto result = restore(witness, storage);
          RC_ASSERT(result.has_value());
          RC_ASSERT(result->torn + result->skipped == 0U);
          RC_ASSERT(model_of(witness.snapshot()) == stored_part(model));
        }
    }
  }
  place.heal();
  saved.dispose();
  StateGraph survivor("g");
  RC_ASSERT(restore_from(survivor, storages).has_value());
  model = model_of(survivor.snapshot());
  RC_ASSERT(
      std::any_of(possible.begin(), possible.end(), [&](const Model& state) { return stored_part(state) == model; }));
  for (const auto& storage : storages) (void)history("g", storage);
}

class GraphModel : public ::testing::TestWithParam<Layout> {
 protected:
  /// RapidCheck reads its parameters from the environment, once.
  static void SetUpTestSuite() {
    const std::string parameters = "seed=" + std::to_string(test_seed()) + " max_success=60 max_size=30";
    ::setenv("RC_PARAMS", parameters.c_str(), 1);
  }
};

TEST_P(GraphModel, RestoredIsWhatWasAcknowledgedThroughFailuresAndCrashes) {
  const auto agrees = [] {
    const auto sessions =
        *rc::gen::resize(6, rc::gen::container<std::vector<Session>>(rc::gen::resize(30, any_session())));
    const Place place(GetParam());
    Model model;
    for (const Session& session : sessions) run(session, place, model);
  };
  EXPECT_TRUE(rc::check("restores what a map says", agrees));
}

INSTANTIATE_TEST_SUITE_P(OneBackend, GraphModel, ::testing::Values(Layout::one_backend));
INSTANTIATE_TEST_SUITE_P(TwoBackends, GraphModel, ::testing::Values(Layout::two_backends));
INSTANTIATE_TEST_SUITE_P(CheckpointsOnly, GraphModel, ::testing::Values(Layout::no_log));
INSTANTIATE_TEST_SUITE_P(TwoPairs, GraphModel, ::testing::Values(Layout::two_pairs));

}  // namespace
}  // namespace holdfast::testing
