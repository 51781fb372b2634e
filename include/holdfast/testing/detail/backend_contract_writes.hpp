#pragma once

// Part of holdfast/testing/backend_contract.hpp, which includes it: batches, preconditions, threads, persistence.

#include "holdfast/testing/backend_contract.hpp"

namespace holdfast::testing {

TEST_P(BackendContract, ABatchAppliesInOrderSoTheLastWriteOnAKeyWins) {
  put("erased last", "before");
  put("erased first", "before");
  backend_->apply(WriteBatch()
                      .put("key", as_bytes("1"))
                      .erase("key")
                      .put("key", as_bytes("2"))
                      .put("erased last", as_bytes("v"))
                      .erase("erased last")
                      .erase("erased first")
                      .put("erased first", as_bytes("v"))
                      .put("never there", as_bytes("v"))
                      .erase("never there")
                      .erase("absent"));
  EXPECT_EQ(text("key"), "2");
  EXPECT_EQ(text("erased last"), std::nullopt);
  EXPECT_EQ(text("erased first"), "v");
  EXPECT_EQ(text("never there"), std::nullopt);
}

TEST_P(BackendContract, AnEmptyBatchChangesNothing) {
  put("key", "v");
  backend_->apply(WriteBatch());
  EXPECT_EQ(text("key"), "v");
}

TEST_P(BackendContract, ABatchOfManyKeysIsAppliedWhole) {
  WriteBatch batch;
  Keys keys;
  for (int number = 100; number < 200; ++number) {
    keys.push_back("k" + std::to_string(number));
    batch.put(keys.back(), as_bytes(keys.back()));
  }
  backend_->apply(batch);
  for (const std::string& key : keys) EXPECT_EQ(text(key), key);
  if (lists()) {
    EXPECT_EQ(listed(), keys);
  }
}

TEST_P(BackendContract, ConsumingABatchIsApplyingIt) {
  put("held", "v");
  backend_->consume(std::move(
      WriteBatch().put("a", as_bytes("1")).put(std::string("a"), to_bytes("2")).erase("held").put("empty", Bytes())));
  EXPECT_EQ(text("a"), "2");
  EXPECT_EQ(text("empty"), "");
  EXPECT_EQ(text("held"), std::nullopt);
  EXPECT_THROW(backend_->consume(std::move(WriteBatch().put("a", as_bytes("3")).require_absent("a"))), ConflictError);
  EXPECT_EQ(text("a"), "2");
}

TEST_P(BackendContract, APreconditionThatHoldsLetsTheBatchPass) {
  put("held", "v");
  put("empty", "");
  backend_->apply(WriteBatch()
                      .require_value("held", as_bytes("v"))
                      .require_value("empty", {})
                      .require_absent("absent")
                      .put("result", as_bytes("applied")));
  EXPECT_EQ(text("result"), "applied");
}

TEST_P(BackendContract, APreconditionThatDoesNotHoldIsAConflictThatChangesNothing) {
  put("held", "v");
  put("empty", "");
  const auto batch = [] { return WriteBatch().put("new", as_bytes("v")).erase("held").require_absent("absent"); };
  expect_conflict("held", batch().require_absent("held"));
  expect_conflict("held", batch().require_value("held", as_bytes("w")));
  expect_conflict("held", batch().require_value("held", as_bytes("vv")));
  expect_conflict("held", batch().require_value("held", {}));
  expect_conflict("other", batch().require_value("other", as_bytes("v")));
  expect_conflict("other", batch().require_value("other", {}));  // empty is not absent
  expect_conflict("empty", batch().require_absent("empty"));
  expect_conflict("empty", batch().require_value("empty", as_bytes("v")));
  EXPECT_EQ(text("held"), "v");
  EXPECT_EQ(text("empty"), "");
  EXPECT_EQ(text("new"), std::nullopt);
}

TEST_P(BackendContract, PreconditionsAreJudgedAgainstTheStateBeforeTheBatch) {
  backend_->apply(WriteBatch().put("key", as_bytes("1")).require_absent("key"));
  backend_->apply(WriteBatch().put("key", as_bytes("2")).require_value("key", as_bytes("1")));
  backend_->apply(WriteBatch().erase("key").require_value("key", as_bytes("2")));
  EXPECT_EQ(text("key"), std::nullopt);
  expect_conflict("key", WriteBatch().put("key", as_bytes("3")).require_value("key", as_bytes("3")));
  put("key", "4");
  expect_conflict("key", WriteBatch().erase("key").require_absent("key"));
  EXPECT_EQ(text("key"), "4");
}

TEST_P(BackendContract, ABatchOfPreconditionsAloneIsJudged) {
  put("key", "v");
  backend_->apply(WriteBatch().require_value("key", as_bytes("v")).require_absent("other"));
  expect_conflict("key", WriteBatch().require_absent("key"));
}

TEST_P(BackendContract, FlushKeepsEverything) {
  backend_->flush();
  put("key", "v");
  backend_->flush();
  backend_->flush();
  EXPECT_EQ(text("key"), "v");
}

TEST_P(BackendContract, WhatWasWrittenIsThereAfterReopening) {
  if (!can_.persistent) return;
  put("", "of the empty key");
  put("empty", "");
  put("replaced", "old");
  put("replaced", "new");
  put("erased", "v");
  EXPECT_TRUE(backend_->erase("erased"));
  backend_->apply(WriteBatch().put("a/é", as_bytes("v")).put("gone", as_bytes("v")).erase("gone"));
  backend_.reset();
  backend_ = store_.open();
  EXPECT_EQ(text(""), "of the empty key");
  EXPECT_EQ(text("empty"), "");
  EXPECT_EQ(text("replaced"), "new");
  EXPECT_EQ(text("a/é"), "v");
  EXPECT_EQ(text("erased"), std::nullopt);
  EXPECT_EQ(text("gone"), std::nullopt);
  if (lists()) {
    EXPECT_EQ(listed(), (Keys{"", "a/é", "empty", "replaced"}));
  }
}

TEST_P(BackendContract, ConcurrentReadersSeeBatchesWhole) {
  constexpr int writer_count = 2;
  constexpr int rounds = 20;
  backend_->apply(WriteBatch().put("left", as_bytes("start")).put("right", as_bytes("start")));
  std::atomic<int> writing = writer_count;
  std::atomic<int> torn = 0;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writer_count; ++writer) {
    threads.emplace_back([&, writer] {
      for (int round = 0; round < rounds; ++round) {
        const std::string value = std::to_string(writer) + ":" + std::to_string(round);
        backend_->apply(WriteBatch().put("left", as_bytes(value)).put("right", as_bytes(value)));
        put("own" + std::to_string(writer), value);
      }
      --writing;
    });
  }
  threads.emplace_back([&] {
    do {
      const auto snapshot = backend_->snapshot();
      if (snapshot->read("left") != snapshot->read("right")) ++torn;
      if (!backend_->read("left")) ++torn;
    } while (writing > 0);
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
  for (int writer = 0; writer < writer_count; ++writer) {
    const std::string number = std::to_string(writer);
    EXPECT_EQ(text("own" + number), number + ":" + std::to_string(rounds - 1));
  }
}

TEST_P(BackendContract, ConcurrentWritersLoseNoUpdateThatAPreconditionGuards) {
  constexpr int writer_count = 3;
  constexpr int increments = 10;
  put("counter", "0");
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writer_count; ++writer) {
    threads.emplace_back([&] {
      for (int done = 0; done < increments;) {
        const std::string seen = text("counter").value_or("0");
        const std::string next = std::to_string(std::stoi(seen) + 1);
        try {
          backend_->apply(WriteBatch().require_value("counter", as_bytes(seen)).put("counter", as_bytes(next)));
          ++done;
        } catch (const ConflictError&) {
          std::this_thread::yield();  // somebody else counted: read again
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(text("counter"), std::to_string(writer_count * increments));
}

}  // namespace holdfast::testing
