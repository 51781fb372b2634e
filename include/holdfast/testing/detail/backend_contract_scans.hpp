#pragma once

// Part of holdfast/testing/backend_contract.hpp, which includes it: scans and snapshots.

#include "holdfast/testing/backend_contract.hpp"

namespace holdfast::testing {

TEST_P(BackendContract, AScanYieldsTheKeysOfThePrefixInByteOrderWithTheirValues) {
  for (const char* key : {"g/10", "g/02", "g/01", "other", "g", "g0"}) put(key, std::string("value of ") + key);
  if (!lists()) return;
  EXPECT_EQ(listed({.prefix = "g/"}), (Keys{"g/01", "g/02", "g/10"}));
  EXPECT_EQ(listed({.prefix = "g/", .reverse = true}), (Keys{"g/10", "g/02", "g/01"}));
  EXPECT_EQ(listed({.prefix = "g/0"}), (Keys{"g/01", "g/02"}));
  EXPECT_EQ(listed({.prefix = "g/02"}), Keys{"g/02"});
  EXPECT_EQ(listed({.prefix = "nothing"}), Keys{});
  EXPECT_EQ(listed(), (Keys{"g", "g/01", "g/02", "g/10", "g0", "other"}));
  EXPECT_EQ(listed({.reverse = true}), (Keys{"other", "g0", "g/10", "g/02", "g/01", "g"}));
  for (const Entry& entry : backend_->scan({})) EXPECT_EQ(to_text(entry.value), "value of " + entry.key);
}

TEST_P(BackendContract, AScanStartsBeyondAfterWhichNeedNotExist) {
  for (const char* key : {"f", "g/1", "g/3", "g/5", "h"}) put(key, "v");
  if (!lists()) return;
  const auto from = [this](const char* after) { return listed({.prefix = "g/", .after = after}); };
  EXPECT_EQ(from("g/1"), (Keys{"g/3", "g/5"}));
  EXPECT_EQ(from("g/2"), (Keys{"g/3", "g/5"}));
  EXPECT_EQ(from("g/5"), Keys{});
  EXPECT_EQ(from(""), (Keys{"g/1", "g/3", "g/5"}));
  EXPECT_EQ(from("a"), (Keys{"g/1", "g/3", "g/5"}));
  EXPECT_EQ(from("g/"), (Keys{"g/1", "g/3", "g/5"}));
  EXPECT_EQ(from("h"), Keys{});
  const auto back_from = [this](const char* after) {
    return listed({.prefix = "g/", .after = after, .reverse = true});
  };
  EXPECT_EQ(back_from("g/5"), (Keys{"g/3", "g/1"}));
  EXPECT_EQ(back_from("g/4"), (Keys{"g/3", "g/1"}));
  EXPECT_EQ(back_from("g/1"), Keys{});
  EXPECT_EQ(back_from(""), Keys{});
  EXPECT_EQ(back_from("a"), Keys{});
  EXPECT_EQ(back_from("h"), (Keys{"g/5", "g/3", "g/1"}));
  EXPECT_EQ(back_from("z"), (Keys{"g/5", "g/3", "g/1"}));
  EXPECT_EQ(listed({.after = ""}), (Keys{"f", "g/1", "g/3", "g/5", "h"}));
  put("", "v");
  EXPECT_EQ(listed({.after = "", .limit = 1}), Keys{"f"});
}

TEST_P(BackendContract, AScanEndsAtItsLimit) {
  for (const char* key : {"a", "b", "c", "d"}) put(key, "v");
  if (!lists()) return;
  EXPECT_EQ(listed({.limit = 0}), Keys{});
  EXPECT_EQ(listed({.limit = 1}), Keys{"a"});
  EXPECT_EQ(listed({.limit = 4}), (Keys{"a", "b", "c", "d"}));
  EXPECT_EQ(listed({.limit = 100}), (Keys{"a", "b", "c", "d"}));
  EXPECT_EQ(listed({.after = "a", .limit = 2}), (Keys{"b", "c"}));
  EXPECT_EQ(listed({.after = "d", .limit = 2, .reverse = true}), (Keys{"c", "b"}));
}

TEST_P(BackendContract, AScanWithoutValuesLeavesThemEmpty) {
  put("a", "value");
  put("b", "value");
  if (!lists()) return;
  std::size_t count = 0;
  for (const Entry& entry : backend_->scan({.values = false})) {
    EXPECT_TRUE(entry.value.empty());
    ++count;
  }
  for (const Entry& entry : backend_->keys("b")) {
    EXPECT_EQ(entry.key, "b");
    EXPECT_TRUE(entry.value.empty());
    ++count;
  }
  EXPECT_EQ(count, 3U);
}

TEST_P(BackendContract, APrefixOfAllOnesReachesToTheEnd) {
  put("a", "v");
  if (!lists()) return;
  EXPECT_EQ(listed({.prefix = "\xFF"}), Keys{});
  EXPECT_EQ(listed({.prefix = "\xFF", .reverse = true}), Keys{});
  if (!can_.binary_keys) return;
  for (const char* key : {"\xFE\xFF", "\xFF", "\xFF\x01", "\xFF\xFF", "\xFF\xFF\xFF"}) put(key, "v");
  EXPECT_EQ(listed({.prefix = "\xFF"}), (Keys{"\xFF", "\xFF\x01", "\xFF\xFF", "\xFF\xFF\xFF"}));
  EXPECT_EQ(listed({.prefix = "\xFF\xFF", .reverse = true}), (Keys{"\xFF\xFF\xFF", "\xFF\xFF"}));
  EXPECT_EQ(listed({.prefix = "\xFE\xFF"}), Keys{"\xFE\xFF"});
}

TEST_P(BackendContract, AScanOfAnEmptyBackendEndsAtOnce) {
  if (!lists()) return;
  EXPECT_EQ(listed(), Keys{});
  EXPECT_EQ(listed({.reverse = true}), Keys{});
}

TEST_P(BackendContract, AScanShowsOneSnapshotWhateverIsWrittenDuringIt) {
  for (const char* key : {"b", "d", "f", "h"}) put(key, "before");
  if (!lists()) return;
  Scan scan = backend_->scan({});
  Keys seen;
  for (const Entry& entry : scan) {
    seen.push_back(entry.key);
    EXPECT_EQ(to_text(entry.value), "before");
    backend_->apply(WriteBatch().erase("d").put("e" + entry.key, as_bytes("new")).put("f", as_bytes("after")));
    put("z" + entry.key, "new");
    backend_->erase("h");
  }
  EXPECT_EQ(seen, (Keys{"b", "d", "f", "h"}));
  EXPECT_EQ(listed(), (Keys{"b", "eb", "ed", "ef", "eh", "f", "zb", "zd", "zf", "zh"}));
}

TEST_P(BackendContract, ASnapshotTakenBeforeAWriteDoesNotSeeIt) {
  put("kept", "old");
  put("erased", "old");
  put("replaced", "old");
  const auto snapshot = backend_->snapshot();
  put("replaced", "new");
  put("replaced", "newer");
  EXPECT_TRUE(backend_->erase("erased"));
  backend_->apply(WriteBatch().put("added", as_bytes("new")).put("kept", as_bytes("new")).erase("kept"));
  for (const char* key : {"kept", "erased", "replaced"}) EXPECT_EQ(text(*snapshot, key), "old") << key;
  EXPECT_EQ(text(*snapshot, "added"), std::nullopt);
  EXPECT_FALSE(snapshot->view("added", [](ByteView) { ADD_FAILURE() << "a later write was lent"; }));
  EXPECT_EQ(text("replaced"), "newer");
  EXPECT_EQ(text("added"), "new");
  EXPECT_EQ(text("kept"), std::nullopt);
  if (!lists()) return;
  EXPECT_EQ(listed(*snapshot), (Keys{"erased", "kept", "replaced"}));
  EXPECT_EQ(listed(*snapshot, {.after = "erased", .limit = 1}), Keys{"kept"});
  EXPECT_EQ(listed(*snapshot, {.prefix = "re", .reverse = true}), Keys{"replaced"});
  for (const Entry& entry : snapshot->scan({})) EXPECT_EQ(to_text(entry.value), "old");
}

TEST_P(BackendContract, EverySnapshotShowsItsOwnMomentInWhateverOrderTheyEnd) {
  std::vector<std::unique_ptr<const BackendSnapshot>> snapshots;
  for (int moment = 0; moment < 5; ++moment) {
    put("key", std::to_string(moment));
    put("since" + std::to_string(moment), "v");
    snapshots.push_back(backend_->snapshot());
  }
  for (const std::size_t ended : {2U, 0U, 4U}) {
    snapshots[ended].reset();
    put("key", "after " + std::to_string(ended));
    for (std::size_t moment = 0; moment < snapshots.size(); ++moment) {
      if (!snapshots[moment]) continue;
      EXPECT_EQ(text(*snapshots[moment], "key"), std::to_string(moment));
      EXPECT_EQ(text(*snapshots[moment], "since" + std::to_string(moment)), "v");
      EXPECT_EQ(text(*snapshots[moment], "since" + std::to_string(moment + 1)), std::nullopt);
    }
  }
  EXPECT_EQ(text("key"), "after 4");
}

TEST_P(BackendContract, SnapshotsAndScansOutliveTheBackendObject) {
  put("a", "v");
  put("b", "v");
  const auto snapshot = backend_->snapshot();
  std::optional<Scan> scan;
  if (lists()) scan.emplace(backend_->scan({}));
  put("a", "later");
  backend_.reset();
  EXPECT_EQ(text(*snapshot, "a"), "v");
  if (!scan) return;
  EXPECT_EQ(listed(*snapshot), (Keys{"a", "b"}));
  Keys seen;
  for (const Entry& entry : *scan) {
    EXPECT_EQ(to_text(entry.value), "v");
    seen.push_back(entry.key);
  }
  EXPECT_EQ(seen, (Keys{"a", "b"}));
}

}  // namespace holdfast::testing
