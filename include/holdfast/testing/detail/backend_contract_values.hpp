#pragma once

// Part of holdfast/testing/backend_contract.hpp, which includes it: keys, values, limits, damage.

#include <algorithm>

#include "holdfast/testing/backend_contract.hpp"

namespace holdfast::testing {

TEST_P(BackendContract, ReadOfAnAbsentKeyIsAMiss) {
  bool called = false;
  EXPECT_EQ(backend_->read("absent"), std::nullopt);
  EXPECT_FALSE(backend_->view("absent", [&](ByteView) { called = true; }));
  EXPECT_FALSE(called);
  EXPECT_EQ(backend_->snapshot()->read("absent"), std::nullopt);
}

TEST_P(BackendContract, WriteReplacesTheValue) {
  put("key", "a longer value than the next");
  put("key", "second");
  EXPECT_EQ(text("key"), "second");
}

TEST_P(BackendContract, AnEmptyValueIsAValue) {
  put("key", "");
  EXPECT_EQ(backend_->read("key"), Bytes());
  EXPECT_TRUE(backend_->view("key", [](ByteView value) { EXPECT_TRUE(value.empty()); }));
  EXPECT_TRUE(backend_->erase("key"));
  EXPECT_EQ(backend_->read("key"), std::nullopt);
}

TEST_P(BackendContract, TheEmptyKeyIsAKey) {
  EXPECT_EQ(text(""), std::nullopt);
  put("", "of the empty key");
  put("other", "v");
  EXPECT_EQ(text(""), "of the empty key");
  if (lists()) {
    EXPECT_EQ(listed(), (Keys{"", "other"}));
  }
  EXPECT_TRUE(backend_->erase(""));
  EXPECT_EQ(text(""), std::nullopt);
  EXPECT_EQ(text("other"), "v");
}

TEST_P(BackendContract, EraseSaysWhetherThereWasAValue) {
  EXPECT_FALSE(backend_->erase("key"));
  put("key", "v");
  EXPECT_TRUE(backend_->erase("key"));
  EXPECT_FALSE(backend_->erase("key"));
  EXPECT_EQ(text("key"), std::nullopt);
}

TEST_P(BackendContract, ViewLendsTheValueAndPassesItsCallersExceptionOn) {
  struct Thrown {};
  put("key", "v");
  std::string seen;
  EXPECT_TRUE(backend_->view("key", [&](ByteView value) { seen = to_text(value); }));
  EXPECT_EQ(seen, "v");
  EXPECT_THROW(backend_->view("key", [](ByteView) { throw Thrown(); }), Thrown);
  put("key", "nothing is left locked");
  EXPECT_EQ(text("key"), "nothing is left locked");
}

TEST_P(BackendContract, AKeyAtTheLimitIsStoredAndOneBeyondIsRefused) {
  const std::string longest(can_.max_key_bytes, 'k');
  const std::string beyond(can_.max_key_bytes + 1, 'k');
  put(longest, "v");
  EXPECT_EQ(text(longest), "v");
  expect_one_beyond_the_limit([&] { put(beyond, "v"); });
  expect_one_beyond_the_limit([&] { static_cast<void>(backend_->read(beyond)); });
  expect_one_beyond_the_limit([&] { static_cast<void>(backend_->snapshot()->read(beyond)); });
  expect_one_beyond_the_limit([&] { backend_->erase(beyond); });
  if (lists()) {
    EXPECT_EQ(listed(), Keys{longest});
  }
  EXPECT_TRUE(backend_->erase(longest));
}

TEST_P(BackendContract, ABatchWithAKeyBeyondTheLimitChangesNothing) {
  const std::string beyond(can_.max_key_bytes + 1, 'k');
  put("a", "before");
  const auto batch = [] { return WriteBatch().put("a", as_bytes("after")).put("b", as_bytes("after")); };
  expect_one_beyond_the_limit([&] { backend_->apply(batch().put(beyond, as_bytes("v"))); });
  expect_one_beyond_the_limit([&] { backend_->apply(batch().erase(beyond)); });
  expect_one_beyond_the_limit([&] { backend_->apply(batch().require_absent(beyond)); });
  expect_one_beyond_the_limit([&] { backend_->apply(batch().require_value(beyond, as_bytes("v"))); });
  EXPECT_EQ(text("a"), "before");
  EXPECT_EQ(text("b"), std::nullopt);
}

TEST_P(BackendContract, AValueOfManyMegabytesComesBackWhole) {
  Bytes value(static_cast<std::size_t>(std::min<std::uint64_t>(can_.max_value_bytes, 5'000'001)));
  std::uint32_t state = 1;
  for (std::byte& byte : value) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24U);
  }
  backend_->write("large", value);
  put("small", "v");
  EXPECT_TRUE(backend_->read("large") == value);  // not EXPECT_EQ: it would print them
  if (lists()) {
    for (const Entry& entry : backend_->scan({.prefix = "large"})) EXPECT_TRUE(entry.value == value);
  }
  put("large", "small now");
  EXPECT_EQ(text("large"), "small now");
}

TEST_P(BackendContract, AValueBeyondTheLimitIsRefusedAndChangesNothing) {
  constexpr std::uint64_t testable_bytes = 1U << 24U;
  if (can_.max_value_bytes > testable_bytes) return;  // four gigabytes prove no more than a small limit does
  put("key", "before");
  const Bytes beyond(static_cast<std::size_t>(can_.max_value_bytes) + 1);
  expect_one_beyond_the_limit([&] { backend_->write("key", beyond); });
  expect_one_beyond_the_limit([&] { backend_->apply(WriteBatch().erase("key").put("other", beyond)); });
  EXPECT_EQ(text("key"), "before");
  EXPECT_EQ(text("other"), std::nullopt);
}

TEST_P(BackendContract, KeysOfAnyUtf8TextKeepApartAndInByteOrder) {
  using namespace std::string_literals;
  const Keys keys = {"\0"s,   "\0\0"s, "\x01", "\n",  " ",   "%",  "%2f", ".",      "..",    ".hidden",
                     "/",     "//",    "/a",   ":",   "A",   "\\", "a",   "a\0"s,   "a\0b"s, "a b",
                     "a%00b", "a.bin", "a/",   "a/b", "a:b", "é",  "é/é", "\u20ac", "👋",     "👋👋"};
  Keys sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  for (const std::string& key : keys) put(key, "value of " + key);
  for (const std::string& key : keys) EXPECT_EQ(text(key), "value of " + key);
  if (lists()) {
    EXPECT_EQ(listed(), sorted);
    EXPECT_EQ(listed({.prefix = "a\0"s}), (Keys{"a\0"s, "a\0b"s}));
    EXPECT_EQ(listed({.prefix = "\xC3", .limit = 1}), Keys{"é"});  // a prefix is bytes, not text
  }
  for (const std::string& key : keys) EXPECT_TRUE(backend_->erase(key));
  if (can_.listing) {
    EXPECT_EQ(listed(), Keys{});
  }
}

TEST_P(BackendContract, KeysThatAreNotUtf8AreStoredOrRefused) {
  const Keys keys = {"\x80", "a\xFF", "\xC3", "\xED\xA0\x80", "\xFF", "\xFF\xFF"};
  for (const std::string& key : keys) {
    if (can_.binary_keys) {
      put(key, "v");
      EXPECT_EQ(text(key), "v");
      continue;
    }
    EXPECT_THROW(put(key, "v"), UnsupportedError);
    EXPECT_THROW(static_cast<void>(backend_->read(key)), UnsupportedError);
    EXPECT_THROW(backend_->erase(key), UnsupportedError);
    EXPECT_THROW(backend_->apply(WriteBatch().put("good", as_bytes("v")).erase(key)), UnsupportedError);
    EXPECT_THROW(backend_->apply(WriteBatch().put("good", as_bytes("v")).require_absent(key)), UnsupportedError);
  }
  if (!lists()) return;
  EXPECT_EQ(listed(), can_.binary_keys ? (Keys{"a\xFF", "\x80", "\xC3", "\xED\xA0\x80", "\xFF", "\xFF\xFF"}) : Keys{});
}

TEST_P(BackendContract, DamageIsAnErrorNeverAValueNorAMiss) {
  if (!store_.damage) return;  // it detects no rot, and the documentation says so
  for (const char* key : {"a", "b", "c"}) put(key, "value");
  store_.damage("b");
  EXPECT_THROW(static_cast<void>(backend_->read("b")), CorruptionError);
  EXPECT_THROW(backend_->view("b", [](ByteView) { ADD_FAILURE() << "damaged bytes were lent"; }), CorruptionError);
  EXPECT_THROW(static_cast<void>(backend_->snapshot()->read("b")), CorruptionError);
  EXPECT_THROW(backend_->apply(WriteBatch().require_value("b", as_bytes("value")).put("a", as_bytes("new"))),
               CorruptionError);
  EXPECT_THROW(backend_->apply(WriteBatch().require_absent("b").put("a", as_bytes("new"))), ConflictError);
  EXPECT_EQ(text("a"), "value");
  EXPECT_EQ(text("c"), "value");
  EXPECT_THROW(static_cast<void>(backend_->read("b")), CorruptionError);  // still there to be examined
  if (lists()) {
    EXPECT_THROW(static_cast<void>(listed()), CorruptionError);
    EXPECT_EQ(listed({.values = false}), (Keys{"a", "b", "c"}));
    EXPECT_EQ(listed({.after = "b"}), Keys{"c"});
  }
  put("b", "written anew");
  EXPECT_EQ(text("b"), "written anew");
}

TEST_P(BackendContract, CapabilitiesAreConstantAndTheNameIsNotEmpty) {
  put("key", "v");
  EXPECT_EQ(backend_->capabilities().max_key_bytes, can_.max_key_bytes);
  EXPECT_EQ(backend_->capabilities().max_value_bytes, can_.max_value_bytes);
  EXPECT_GT(can_.max_key_bytes, 0U);
  EXPECT_FALSE(backend_->name().empty());
}

}  // namespace holdfast::testing
