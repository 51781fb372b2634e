#include <utility>

#include "holdfast/backend/sealed.hpp"
#include "holdfast/seal/checksum.hpp"
#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

class AppendLogTest : public TierTest {};
INSTANTIATE_TEST_SUITE_P(Stores, AppendLogTest, ::testing::ValuesIn(store_kinds()), store_name);

/// The bucket of "alpha:1" is "alpha".
std::string before_colon(const Text& text) {
  return text.substr(0, text.find(':'));
}

TEST_P(AppendLogTest, NumbersEntriesFromOneInTheOrderOfAppendsAcrossARestart) {
  {
    TextLog log(backend(), {.name = "events"});
    log.append("a");
    const Texts more{"b", "c"};
    EXPECT_EQ(log.append(more), 2U);
    EXPECT_EQ(stored_keys(), (Texts{"events/e/00000000000000000001", "events/e/00000000000000000002",
                                    "events/e/00000000000000000003", "events/head"}));
  }
  restart();
  TextLog log(backend(), {.name = "events"});
  EXPECT_EQ(log.last_sequence(), 3U);
  log.append("d");
  EXPECT_EQ(values(log), (Texts{"a", "b", "c", "d"}));
  EXPECT_EQ(sequences(log), (Numbers{1, 2, 3, 4}));
}

TEST_P(AppendLogTest, AppendAfterAFailedWriteAndRetryYieldsEachEntryOnce) {
  for (const Moment moment : {Moment::before, Moment::after}) {
    SCOPED_TRACE(moment == Moment::before ? "failed before it was stored" : "stored, and reported as failed");
    AppendLogTier<int> log(backend(), {.name = moment == Moment::before ? "before" : "after"});
    log.append(1);
    log.append(2);
    backend()->fail_every(Operation::apply, moment);
    EXPECT_THROW(log.append(3), IoError);
    backend()->heal();
    log.append(4);
    EXPECT_EQ(values(log), (std::vector<int>{1, 2, 3, 4}));
    EXPECT_EQ(sequences(log), (Numbers{1, 2, 3, 4}));
    EXPECT_FALSE(log.has_pending());
  }
}

TEST_P(AppendLogTest, AFailedFlushThatWasStoredIsRecognisedAfterManyRetries) {
  TextLog log(backend(), {.debounce = true});
  log.append("a");
  backend()->fail_every(Operation::apply);
  EXPECT_THROW(log.flush(), IoError);
  log.append("b");
  backend()->fail_call(1, Moment::after);
  EXPECT_THROW(log.flush(), IoError);  // stores a and b
  log.append("c");
  backend()->fail_call(1, Moment::before);
  EXPECT_THROW(log.flush(), IoError);
  log.append("d");
  backend()->heal();
  log.flush();
  EXPECT_EQ(values(log), (Texts{"a", "b", "c", "d"}));
}

TEST_P(AppendLogTest, TwoWritersTakeNumbersInTurnAndLoseNothing) {
  TextLog one(backend());
  TextLog two(backend());
  one.append("1");
  two.append("2");
  two.append("3");
  one.append("4");
  backend()->fail_call(1);
  EXPECT_THROW(one.append("6"), IoError);  // keeps its number; then another takes it
  two.append("5");
  one.flush();
  EXPECT_EQ(values(one), (Texts{"1", "2", "3", "4", "5", "6"}));
  EXPECT_EQ(sequences(two), (Numbers{1, 2, 3, 4, 5, 6}));
}

TEST_P(AppendLogTest, BucketsAreMatchedExactlyAndMergedBySequence) {
  TextLog log(backend(), {.name = "l", .key_of = before_colon});
  const Texts all{"alpha:1", "alphabet:2", "alpha:3", "alpha-1:4", "a/b c:5", ":6", "alphabet:7"};
  log.append(all);
  EXPECT_EQ(values(log, {.bucket = "alpha"}), (Texts{"alpha:1", "alpha:3"}));
  EXPECT_EQ(values(log, {.bucket = "alphabet"}), (Texts{"alphabet:2", "alphabet:7"}));
  EXPECT_EQ(values(log, {.bucket = "alpha-1"}), Texts{"alpha-1:4"});
  EXPECT_EQ(values(log, {.bucket = "a/b c"}), Texts{"a/b c:5"});
  EXPECT_EQ(values(log, {.bucket = ""}), Texts{":6"});
  EXPECT_EQ(values(log, {.bucket = "alph"}), Texts{});
  EXPECT_TRUE(stored()->read("l/b/a%2fb%20c/00000000000000000005"));
  EXPECT_EQ(values(log), all);
  auto entries = log.scan({.after = 4, .limit = 1});
  for (const auto& entry : entries) EXPECT_EQ(entry.bucket, "a/b c");
}

TEST_P(AppendLogTest, ScansFromACursorBothWaysWithALimit) {
  TextLog log(backend());
  const Texts all{"1", "2", "3", "4", "5"};
  log.append(all);
  EXPECT_EQ(values(log, {.after = 2, .limit = 2}), (Texts{"3", "4"}));
  EXPECT_EQ(values(log, {.reverse = true}), (Texts{"5", "4", "3", "2", "1"}));
  EXPECT_EQ(values(log, {.after = 4, .limit = 2, .reverse = true}), (Texts{"3", "2"}));
  EXPECT_EQ(values(log, {.limit = 0}), Texts{});
  EXPECT_EQ(values(log, {.after = 5}), Texts{});
  EXPECT_EQ(values(log, {.after = 0, .limit = 1}), Texts{"1"});
  EXPECT_EQ(values(log, {.after = 1, .reverse = true}), Texts{});
}

TEST_P(AppendLogTest, PagesContinueWhileOthersAppendAndAfterTruncation) {
  TextLog log(backend(), {.key_of = before_colon});
  const Texts first{"a:1", "b:2", "a:3", "b:4"};
  log.append(first);
  EXPECT_EQ(values(log, {.limit = 2}), (Texts{"a:1", "b:2"}));
  log.append("a:5");
  EXPECT_EQ(values(log, {.after = 2, .limit = 2}), (Texts{"a:3", "b:4"}));
  log.truncate_before(5);
  EXPECT_EQ(values(log, {.after = 4, .limit = 2}), Texts{"a:5"});
  log.append("c:6");
  EXPECT_EQ(values(log, {.after = 2}), (Texts{"a:5", "c:6"})) << "a cursor into what was truncated goes on behind it";
  EXPECT_EQ(values(log, {.after = 5, .bucket = "c"}), Texts{"c:6"});
}

TEST_P(AppendLogTest, NumbersAreNeverUsedAgainAfterTruncationOfEverything) {
  {
    TextLog log(backend());
    const Texts all{"1", "2", "3"};
    log.append(all);
    log.truncate_before(100);
    EXPECT_EQ(values(log), Texts{});
    EXPECT_EQ(log.last_sequence(), 3U);
  }
  restart();
  TextLog log(backend());
  log.append("4");
  EXPECT_EQ(sequences(log), Numbers{4});
}

TEST_P(AppendLogTest, AScanShowsTheStateOfItsStart) {
  TextLog log(backend());
  log.append("1");
  log.append("2");
  auto entries = log.scan();
  log.append("3");
  log.truncate_before(3);
  Texts seen;
  for (const auto& entry : entries) seen.push_back(entry.value);
  EXPECT_EQ(seen, (Texts{"1", "2"}));
}

TEST_P(AppendLogTest, OtherDataOfTheBackendIsNeverAnEntry) {
  TextKv other(backend());
  for (const char* key : {"l",
                          "l/",
                          "l/e",
                          "l/e/",
                          "l/e/1",
                          "l/e/0000000000000000001",
                          "l/e/000000000000000000001",
                          "l/e/0000000000000000000a",
                          "l/e/00000000000000000000",
                          "l/e/99999999999999999999",
                          "l/e/00000000000000000001/x",
                          "l/b/alpha",
                          "l/b/alpha/",
                          "l/b/alpha/1",
                          "l/b/alpha/x/00000000000000000001",
                          "l/b/%41/00000000000000000001",
                          "l/b/a%2/00000000000000000001",
                          "l/b/a b/00000000000000000001",
                          "ll/e/00000000000000000001",
                          "l/heads",
                          "l/b/alpha/00000000000000000000"}) {
    other.save(key, "other");
  }
  TextLog log(backend(), {.name = "l", .key_of = before_colon});
  EXPECT_EQ(values(log), Texts{});
  log.append("alpha:1");
  EXPECT_EQ(values(log), Texts{"alpha:1"});
  EXPECT_EQ(values(log, {.bucket = "alpha"}), Texts{"alpha:1"});
  log.truncate_before(10);
  EXPECT_EQ(stored_keys().size(), 22U) << "21 keys of others and the head";
}

TEST_P(AppendLogTest, AHeadThatCannotBeReadStopsAppendsAndIsLeftAlone) {
  TextKv raw(backend());
  for (const char* damage :
       {"", "7", "{}", R"({"attempt":"0123456789abcdef","seq":-1})", R"({"attempt":"x","seq":1})",
        R"({"attempt":"0123456789abcdef","seq":1.5})", R"({"attempt":"0123456789abcdef","seq":1)"}) {
    raw.save("log/head", damage);
    TextLog log(backend());
    EXPECT_THROW(log.append("a"), CorruptionError) << damage;
    EXPECT_THROW(static_cast<void>(log.last_sequence()), CorruptionError) << damage;
    EXPECT_EQ(stored_keys(), Texts{"log/head"});
    EXPECT_EQ(raw.load("log/head"), damage);
  }
}

TEST_P(AppendLogTest, EntriesWithoutAHeadAreNotOverwritten) {
  TextKv raw(backend());
  raw.save("log/e/00000000000000000001", "precious");
  TextLog log(backend());
  EXPECT_THROW(log.append("a"), CorruptionError);
  EXPECT_EQ(values(log), Texts{"precious"});
}

TEST_P(AppendLogTest, AnUndecodableEntryIsNamedAndLeftAlone) {
  AppendLogTier<int> log(backend());
  log.append(1);
  log.append(2);
  TextKv raw(backend());
  raw.save("log/e/00000000000000000002", "two");
  std::vector<int> seen;
  try {
    auto entries = log.scan();
    for (const auto& entry : entries) seen.push_back(entry.value);
    FAIL() << "read an entry that is no number";
  } catch (const CodecError& error) {
    EXPECT_NE(std::string(error.what()).find("log/e/00000000000000000002"), std::string::npos) << error.what();
  }
  EXPECT_EQ(seen, std::vector<int>{1});
  EXPECT_EQ(raw.load("log/e/00000000000000000002"), "two");
}

TEST_P(AppendLogTest, TheHeadIsCanonicalJsonWithSequenceAndAttempt) {
  TextLog log(backend());
  log.append("a");
  const std::string head = to_text(stored()->read("log/head").value());
  ASSERT_EQ(head.size(), std::string(R"({"attempt":"0123456789abcdef","seq":1})").size()) << head;
  EXPECT_EQ(head.substr(0, 12), R"({"attempt":")");
  EXPECT_EQ(head.substr(28), R"(","seq":1})");
  log.append("b");
  EXPECT_NE(to_text(stored()->read("log/head").value()).substr(12, 16), head.substr(12, 16)) << "each write is marked";
}

TEST_P(AppendLogTest, AppendingReadsNothingOnceTheHeadIsKnown) {
  TextLog log(backend());
  log.append("1");
  backend()->heal();
  log.append("2");
  EXPECT_EQ(backend()->calls(), 1U) << "one apply";
}

TEST_P(AppendLogTest, ABatchIsAppendedWholeOrRefusedWhole) {
  AppendLogTier<double> log(backend());
  const std::vector<double> good{1, 2};
  const std::vector<double> bad{3, std::numeric_limits<double>::quiet_NaN()};
  log.append(good);
  EXPECT_THROW(log.append(bad), CodecError);
  EXPECT_FALSE(log.has_pending());
  EXPECT_EQ(values(log), good);
}

TEST_P(AppendLogTest, NamesThatWouldMixWithAnotherLogsBucketsAreRefused) {
  EXPECT_THROW(TextLog(backend(), {.name = ""}), OptionError);
  EXPECT_THROW(TextLog(backend(), {.name = "a/b"}), OptionError);
  EXPECT_THROW(TextLog(backend(), {.name = std::string(256, 'n')}), LimitError);
  EXPECT_THROW(TextLog(backend(), {.entropy = nullptr}), OptionError);
}

TEST_P(AppendLogTest, AnotherWriterWhoBeginsTheLogWhileItsHeadIsLookedForIsNoDamage) {
  bool begun = false;
  backend()->fail_when([&](const FaultyBackend::Call& call) {
    // Our tier has found no head, and is about to look for entries.
    if (call.operation == Operation::snapshot && !std::exchange(begun, true)) TextLog(stored()).append("theirs");
    return false;
  });
  TextLog log(backend());
  log.append("ours");
  EXPECT_TRUE(begun);
  EXPECT_EQ(values(log), (Texts{"theirs", "ours"}));
}

TEST_P(AppendLogTest, ADamagedEntrySparesTheOnesBeforeIt) {
  TextLog log(std::make_shared<SealedBackend>(backend(), std::make_shared<ChecksumSeal>(), StoreId{}));
  const Texts all{"1", "2"};
  log.append(all);
  stored()->write("log/e/00000000000000000002", as_bytes("damaged"));
  EXPECT_EQ(values(log, {.limit = 1}), Texts{"1"});
  auto entries = log.scan();
  auto entry = entries.begin();
  EXPECT_EQ(entry->value, "1");
  EXPECT_THROW(++entry, CorruptionError);
  EXPECT_THROW(++entry, CorruptionError) << "an error is never the end";
}

}  // namespace
}  // namespace holdfast::testing
