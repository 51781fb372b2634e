#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "graph_fixture.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::testing {

/// A graph with a checkpoint at 0 and frames 1 to 6, x being the frame's number.
class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest() {
    StateGraph graph("g");
    auto options = no_more_checkpoints;
    options.clock = clock;
    const auto saved = attach(graph, storage, options);
    for (int i = 1; i <= 6; ++i) {
      clock->time += std::chrono::seconds(10);
      graph.set("x", i);
    }
  }

  [[nodiscard]] static std::string key(std::uint64_t seq) { return frame_key("g", seq); }
  void forget_last() { backend->erase("g/last"); }
  /// As if the frames above `seq` had come there without `last`, as they do where batches are not atomic.
  void rewind_last_to(std::uint64_t seq) {
    const std::string chain = to_hex(decode_frame(backend->read(key(seq)).value()).chain.value());
    backend->write("g/last", as_bytes(R"({"chain":")" + chain + R"(","frame_seq":)" + std::to_string(seq) + "}"));
  }
  void truncate(std::uint64_t seq) {
    const Bytes bytes = backend->read(key(seq)).value();
    backend->write(key(seq), ByteView(bytes).first(bytes.size() / 2));
  }

  [[nodiscard]] std::optional<RestoreError::Facts> refusal() const {
    StateGraph graph("g");
    graph.set("untouched", true);
    try {
      (void)restore(graph, storage);
      return std::nullopt;
    } catch (const RestoreError& error) {
      EXPECT_EQ(graph.get("untouched"), Json(true)) << "a failed restore leaves the graph as it was";
      EXPECT_EQ(graph.snapshot().nodes.size(), 1U);
      return error.facts();
    }
  }
  void expect_damage(RestoreReason reason, std::optional<std::uint64_t> seq) const {
    const auto facts = refusal();
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->reason, reason);
    EXPECT_EQ(facts->seq, seq);
  }
  void expect_torn(std::uint64_t torn, std::uint64_t final_seq) const {
    StateGraph graph("g");
    const auto result = restore(graph, storage);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->torn, torn);
    EXPECT_EQ(result->final_seq, final_seq);
    EXPECT_EQ(graph.get("x"), Json(final_seq));
  }

  std::shared_ptr<MemoryBackend> backend = std::make_shared<MemoryBackend>();
  GraphStorage storage{backend, "g"};
  std::shared_ptr<SetClock> clock = std::make_shared<SetClock>();
  std::chrono::system_clock::time_point start = clock->time;
};

}  // namespace holdfast::testing
