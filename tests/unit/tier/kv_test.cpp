#include <thread>

#include "support/unlistable_backend.hpp"
#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

class KvTierTest : public TierTest {};
INSTANTIATE_TEST_SUITE_P(Stores, KvTierTest, ::testing::ValuesIn(store_kinds()), store_name);

TEST_P(KvTierTest, StoresUnderPrefixAndKeyAndGivesItBackAfterARestart) {
  {
    TextKv stock(backend(), {.prefix = "stock/"});
    EXPECT_TRUE(stock.save("apple", "3"));
    EXPECT_EQ(stored()->read("stock/apple"), to_bytes("3"));
  }
  restart();
  const TextKv stock(backend(), {.prefix = "stock/"});
  EXPECT_EQ(stock.load("apple"), "3");
}

TEST_P(KvTierTest, AbsentEmptyAndUndecodableAreThreeAnswers) {
  KvTier<int> numbers(backend());
  TextKv texts(backend());
  texts.save("empty", "");
  texts.save("words", "three");
  EXPECT_EQ(numbers.load("absent"), std::nullopt);
  EXPECT_EQ(texts.load("empty"), "");
  try {
    static_cast<void>(numbers.load("words"));
    FAIL() << "text read as a number";
  } catch (const CodecError& error) {
    EXPECT_NE(std::string(error.what()).find("\"words\""), std::string::npos) << error.what();
  }
  EXPECT_EQ(texts.load("words"), "three");
}

TEST_P(KvTierTest, KeysAreThoseUnderThePrefixInOrderWithoutIt) {
  TextKv stock(backend(), {.prefix = "stock/"});
  TextKv other(backend(), {.prefix = "stocks/"});
  for (const char* key : {"b", "a", "c/1", ""}) stock.save(key, key);
  other.save("z", "z");
  Texts found;
  auto keys = stock.keys();
  for (const std::string& key : keys) found.push_back(key);
  EXPECT_EQ(found, (Texts{"", "a", "b", "c/1"}));
  found.clear();
  auto some = stock.keys("c/");
  for (const std::string& key : some) found.push_back(key);
  EXPECT_EQ(found, Texts{"c/1"});
}

TEST_P(KvTierTest, ForEachByPrefixDecodesOneValueAtATimeAndStopsWhenTold) {
  KvTier<int> numbers(backend(), {.prefix = "n/"});
  TextKv texts(backend(), {.prefix = "n/"});
  numbers.save("a1", 1);
  numbers.save("a2", 2);
  texts.save("a3", "not a number");
  numbers.save("b1", 4);
  std::vector<std::string> seen;
  const auto walk = [&](std::string_view key, int) { seen.emplace_back(key); };
  EXPECT_THROW(numbers.for_each_by_prefix("a", walk), CodecError);
  EXPECT_EQ(seen, (Texts{"a1", "a2"})) << "what comes before a bad value is given";
  seen.clear();
  numbers.for_each_by_prefix("a", [&](std::string_view key, int) {
    seen.emplace_back(key);
    return key != "a2";
  });
  EXPECT_EQ(seen, (Texts{"a1", "a2"}));
  seen.clear();
  numbers.for_each_by_prefix("b", walk);
  EXPECT_EQ(seen, Texts{"b1"});
}

TEST_P(KvTierTest, ForEachByPrefixShowsTheStateOfItsStartWhileOthersWrite) {
  TextKv stock(backend());
  for (const char* key : {"a", "b", "c"}) stock.save(key, "old");
  Texts seen;
  stock.for_each_by_prefix("", [&](std::string_view key, const Text& value) {
    if (seen.empty()) {
      std::thread([&] {
        stock.save("b", "new");
        stock.save("bb", "new");
        stock.erase("c");
      }).join();
    }
    seen.push_back(std::string(key) + value);
  });
  EXPECT_EQ(seen, (Texts{"aold", "bold", "cold"}));
}

TEST_P(KvTierTest, PendingSavesAreNotVisible) {
  TextKv stock(backend(), {.debounce = true});
  stock.save("a", "1");
  EXPECT_EQ(stock.load("a"), std::nullopt);
  EXPECT_TRUE(stock.has_pending());
  stock.flush();
  EXPECT_EQ(stock.load("a"), "1");
  EXPECT_FALSE(stock.has_pending());
}

TEST_P(KvTierTest, EraseAloneGoesThroughAtOnceAndDropsThePendingSave) {
  TextKv stock(backend(), {.debounce = true});
  stock.save("a", "1");
  stock.flush();
  stock.save("a", "2");
  EXPECT_TRUE(stock.erase("a"));
  EXPECT_EQ(stock.load("a"), std::nullopt);
  stock.flush();
  EXPECT_EQ(stock.load("a"), std::nullopt);
  EXPECT_FALSE(stock.erase("a"));
}

TEST_P(KvTierTest, AFailedEraseKeepsThePendingSave) {
  TextKv stock(backend(), {.debounce = true});
  stock.save("a", "1");
  stock.flush();
  stock.save("a", "2");
  backend()->fail_every(Operation::erase);
  EXPECT_THROW(stock.erase("a"), IoError);
  backend()->heal();
  EXPECT_EQ(stock.load("a"), "1");
  stock.flush();
  EXPECT_EQ(stock.load("a"), "2");
}

TEST_P(KvTierTest, WhatTheFilterRefusesIsNotSavedAndDoesNotCount) {
  TextKv stock(backend(), {.debounce = true, .compact_every = 2, .filter = [](std::string_view key, const Text& value) {
                             return key != "no" && !value.empty();
                           }});
  EXPECT_TRUE(stock.save("a", "1"));
  EXPECT_FALSE(stock.save("no", "1"));
  EXPECT_FALSE(stock.save("b", ""));
  EXPECT_EQ(stored_keys(), Texts{});
  EXPECT_TRUE(stock.save("c", "1"));
  EXPECT_EQ(stored_keys(), (Texts{"a", "c"}));
}

TEST_P(KvTierTest, AFailedSaveStaysPendingAndNewerSavesWin) {
  TextKv stock(backend());
  backend()->fail_every(Operation::apply);
  EXPECT_THROW(stock.save("a", "old"), IoError);
  EXPECT_THROW(stock.save("b", "kept"), IoError);
  EXPECT_THROW(stock.save("a", "new"), IoError);
  EXPECT_TRUE(stock.has_pending());
  EXPECT_EQ(stored_keys(), Texts{});
  backend()->heal();
  stock.flush();
  EXPECT_EQ(stock.load("a"), "new");
  EXPECT_EQ(stock.load("b"), "kept");
}

TEST_P(KvTierTest, RollbackDropsWhatFailed) {
  TextKv stock(backend());
  backend()->fail_every(Operation::apply);
  EXPECT_THROW(stock.save("a", "1"), IoError);
  backend()->heal();
  stock.rollback();
  EXPECT_FALSE(stock.has_pending());
  stock.save("b", "2");
  EXPECT_EQ(stored_keys(), Texts{"b"});
}

TEST_P(KvTierTest, AValueThatCannotBeEncodedIsRefusedAndDisturbsNothing) {
  KvTier<double> numbers(backend(), {.debounce = true});
  numbers.save("a", 1.5);
  EXPECT_THROW(numbers.save("a", std::numeric_limits<double>::quiet_NaN()), CodecError);
  EXPECT_THROW(numbers.save("b", std::numeric_limits<double>::infinity()), CodecError);
  numbers.flush();
  EXPECT_EQ(numbers.load("a"), 1.5);
  EXPECT_EQ(stored_keys(), Texts{"a"});
}

TEST_P(KvTierTest, AKeyBeyondTheBackendsLimitIsRefusedAndDisturbsNothing) {
  TextKv stock(backend(), {.prefix = "p/", .debounce = true});
  stock.save("a", "1");
  const std::size_t longest = backend()->capabilities().max_key_bytes;
  try {
    stock.save(std::string(longest - 1, 'k'), "1");
    FAIL() << "accepted a key that is one byte too long";
  } catch (const LimitError& error) {
    EXPECT_EQ(error.facts().actual, longest + 1);
    EXPECT_EQ(error.facts().maximum, longest);
  }
  stock.flush();
  EXPECT_EQ(stored_keys(), Texts{"p/a"});
}

TEST_P(KvTierTest, AKeyThatItsEscapesMakeTooLongIsRefusedBeforeItWaits) {
  if (GetParam() == StoreKind::memory) return;  // stores keys as they are
  TextKv stock(backend());
  const char escaped = GetParam() == StoreKind::file ? '/' : '\0';
  const std::size_t longest = backend()->capabilities().max_key_bytes;
  EXPECT_THROW(stock.save(std::string(longest, escaped), "1"), LimitError);
  EXPECT_FALSE(stock.has_pending());
  stock.save("a", "1");
  EXPECT_EQ(stored_keys(), Texts{"a"});
}

TEST_P(KvTierTest, ABackendThatCannotListServesAllButListing) {
  const auto unlistable = std::make_shared<UnlistableBackend>(backend());
  TextKv stock(unlistable);
  TextLog log(unlistable, {.name = "log"});
  stock.save("a", "1");
  EXPECT_EQ(stock.load("a"), "1");
  log.append("1");
  EXPECT_EQ(log.last_sequence(), 1U);
  EXPECT_THROW(static_cast<void>(stock.keys()), UnsupportedError);
  EXPECT_THROW(static_cast<void>(log.scan()), UnsupportedError);
  EXPECT_THROW(log.truncate_before(1), UnsupportedError);
}

TEST_P(KvTierTest, ASaveIsRefusedOrPendingWhateverLookingAtALongKeyMeets) {
  const std::string longer(backend()->capabilities().max_key_bytes / 2, 'k');
  TextKv stock(backend(), {.debounce = true});
  backend()->fail_every(Operation::view);
  stock.save(longer, "1");
  EXPECT_TRUE(stock.has_pending());
  backend()->heal();
  stock.flush();
  EXPECT_EQ(stock.load(longer), "1");
}

TEST_P(KvTierTest, AnEraseInAGroupIsPendingAfterAnErrorThatIsNoRefusal) {
  CommitGroup group(backend());
  TextKv stock(group, {.debounce = true});
  stock.save("a", "1");
  group.flush();
  backend()->fail_every(Operation::view);
  EXPECT_THROW(stock.erase("a"), IoError);
  backend()->heal();
  group.flush();
  EXPECT_EQ(stock.load("a"), std::nullopt);
  EXPECT_THROW(stock.erase(std::string(backend()->capabilities().max_key_bytes + 1, 'k')), LimitError);
  EXPECT_FALSE(stock.has_pending());
}

}  // namespace
}  // namespace holdfast::testing
