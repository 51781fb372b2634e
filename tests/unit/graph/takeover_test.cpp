// Two attachments to one name: one of them writes, the other is told; the stored chain is one.
#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "graph_fixture.hpp"
#include "holdfast/core/error.hpp"
#include "support/backend_stores.hpp"

namespace holdfast {
namespace {

using testing::plain_cadence_of_three;
using testing::restored;
using testing::StoreUnderTest;

enum class Layout { frames_too, checkpoints_only, log_elsewhere };

struct Case {
  const char* name;
  std::function<StoreUnderTest()> make;
  Layout layout;
};

class Takeover : public ::testing::TestWithParam<Case> {
 protected:
  Takeover() {
    if (GetParam().layout == Layout::checkpoints_only) storage = GraphStorage(CheckpointTier(backend, {.name = "g"}));
    if (GetParam().layout == Layout::log_elsewhere) {
      storage = GraphStorage(CheckpointTier(backend, {.name = "g"}),
                             WalTier(std::make_shared<MemoryBackend>(), {.prefix = "g/wal/"}));
    }
  }

  StoreUnderTest store = GetParam().make();
  std::shared_ptr<StorageBackend> backend = store.open();
  GraphStorage storage{backend, "g"};
};

TEST_P(Takeover, TheOneThatWasTakenOverWritesNothingAndIsToldByItsErrorCallback) {
  StateGraph first("g");
  std::vector<std::exception_ptr> errors;
  auto options = plain_cadence_of_three;
  options.on_error = [&](std::exception_ptr error) { errors.push_back(error); };
  auto saved = attach(first, storage, options);
  first.set("x", 1);

  StateGraph second("g");
  ASSERT_TRUE(restore(second, storage));
  const auto saved_by_second = attach(second, storage, plain_cadence_of_three);
  for (int i = 2; i < 8; ++i) {
    first.set("lost", i);
    ASSERT_EQ(errors.size(), static_cast<std::size_t>(i - 1));
    EXPECT_THROW(std::rethrow_exception(errors.back()), ConflictError);
    EXPECT_EQ(restored(storage), second.snapshot());
    second.set("x", i);
    EXPECT_EQ(restored(storage), second.snapshot());
  }
  EXPECT_TRUE(saved.has_pending()) << "nothing of the first is dropped either";
  EXPECT_EQ(first.get("lost"), Json(7));
  EXPECT_THROW(saved.flush_all(), ConflictError);
  const auto result = verify_log("g", storage);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->torn + result->skipped, 0U);
}

TEST_P(Takeover, ByAnotherHandleAfterTheFirstHasGone) {
  {
    StateGraph first("g");
    const auto saved = attach(first, storage);
    first.set("x", 1);
  }
  StateGraph second("g");
  const auto saved = attach(second, storage, {.existing = Existing::restore});
  second.set("x", 2);
  EXPECT_EQ(restored(storage), second.snapshot());
}

/// What is stored changes between the moment when it is judged and the first write.
TEST_P(Takeover, OfTwoThatAttachAtOnceToTheSameStateOneIsRefused) {
  for (int round = 0; round < 5; ++round) {
    StateGraph graphs[] = {StateGraph("g"), StateGraph("g")};
    for (auto& graph : graphs) (void)restore(graph, storage);
    std::vector<std::optional<Attachment>> saved(2);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 2; ++i) {
      threads.emplace_back([&, i] {
        try {
          saved[i] = attach(graphs[i], storage, plain_cadence_of_three);
          graphs[i].set("x" + std::to_string(round), i);
        } catch (const ConflictError&) {  // by the other, meanwhile
        } catch (const StateError&) {     // by the other, before
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_NE(saved[0].has_value(), saved[1].has_value()) << "round " << round;
    EXPECT_EQ(restored(storage), graphs[saved[0] ? 0 : 1].snapshot()) << "round " << round;
    EXPECT_NO_THROW((void)verify_log("g", storage));
  }
}

const auto name_of_case = [](const auto& tested) { return tested.param.name; };

StoreUnderTest memory() {
  return testing::memory_store();
}
INSTANTIATE_TEST_SUITE_P(Memory, Takeover,
                         ::testing::Values(Case{"plain", memory, Layout::frames_too},
                                           Case{"checkpoints_only", memory, Layout::checkpoints_only},
                                           Case{"log_elsewhere", memory, Layout::log_elsewhere}),
                         name_of_case);

StoreUnderTest files() {
  return testing::file_store(Durability::unsynced);
}
INSTANTIATE_TEST_SUITE_P(File, Takeover, ::testing::Values(Case{"plain", files, Layout::frames_too}), name_of_case);

#ifdef HOLDFAST_WITH_LMDB
StoreUnderTest lmdb() {
  return testing::lmdb_store(Durability::unsynced);
}
INSTANTIATE_TEST_SUITE_P(Lmdb, Takeover,
                         ::testing::Values(Case{"plain", lmdb, Layout::frames_too},
                                           Case{"sealed", [] { return testing::sealed(lmdb()); }, Layout::frames_too}),
                         name_of_case);
#endif

}  // namespace
}  // namespace holdfast
