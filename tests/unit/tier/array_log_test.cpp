#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

using JsonLog = AppendLogTier<Json>;

class ArrayLogTest : public TierTest {
 protected:
  [[nodiscard]] std::string text_of(std::string_view key) const {
    const auto bytes = stored()->read(key);
    return bytes ? to_text(*bytes) : "absent";
  }
  void put(std::string_view key, std::string_view text) { stored()->write(key, as_bytes(text)); }
};
INSTANTIATE_TEST_SUITE_P(Stores, ArrayLogTest, ::testing::ValuesIn(store_kinds()), store_name);

std::string kind_of(const Json& value) {
  return value.value("kind", "other");
}

TEST_P(ArrayLogTest, KeepsOneJsonArrayUnderItsName) {
  JsonLog log(backend(), {.name = "events", .form = LogForm::array});
  EXPECT_EQ(values(log), std::vector<Json>{});
  log.append(Json{{"id", 1}, {"type", "created"}});
  log.append(Json{{"id", 2}});
  EXPECT_EQ(text_of("events"), R"([{"id":1,"type":"created"},{"id":2}])");
  EXPECT_EQ(stored_keys(), Texts{"events"});
  EXPECT_EQ(sequences(log), (Numbers{1, 2}));
}

TEST_P(ArrayLogTest, AddsToWhatAnotherProgramWroteAndLeavesItsSpellingAlone) {
  AppendLogTier<int> log(backend(), {.form = LogForm::array});
  put("log", " [ 1.0, 2e0 ] \n");
  log.append(3);
  EXPECT_EQ(text_of("log"), " [ 1.0, 2e0 ,3]");
  EXPECT_EQ(values(log), (std::vector<int>{1, 2, 3}));
  put("log", "[ ]");
  log.append(4);
  EXPECT_EQ(text_of("log"), "[ 4]");
  put("log", R"(["]"])");
  log.append(5);
  EXPECT_EQ(text_of("log"), R"(["]",5])");
}

TEST_P(ArrayLogTest, OverwriteModeReplacesTheArrayByWhatOneFlushHolds) {
  AppendLogTier<int> log(backend(), {.form = LogForm::array, .mode = ArrayMode::overwrite, .debounce = true});
  for (const int number : {1, 2, 3}) log.append(number);
  log.flush();
  EXPECT_EQ(text_of("log"), "[1,2,3]");
  log.append(10);
  log.append(20);
  log.flush();
  EXPECT_EQ(text_of("log"), "[10,20]");
}

TEST_P(ArrayLogTest, WithKeyOfEveryBucketIsAnArrayUnderItsOwnKey) {
  JsonLog log(backend(), {.form = LogForm::array, .key_of = kind_of});
  const std::vector<Json> all{Json{{"kind", "alpha"}}, Json{{"kind", "alphabet"}}, Json{{"kind", "alpha"}, {"n", 2}}};
  log.append(std::span<const Json>(all));
  EXPECT_EQ(text_of("alpha"), R"([{"kind":"alpha"},{"kind":"alpha","n":2}])");
  EXPECT_EQ(text_of("alphabet"), R"([{"kind":"alphabet"}])");
  EXPECT_EQ(values(log, {.bucket = "alpha"}).size(), 2U);
  EXPECT_THROW(static_cast<void>(log.scan()), OptionError);
}

TEST_P(ArrayLogTest, ScansFromACursorBothWaysWithALimit) {
  AppendLogTier<int> log(backend(), {.form = LogForm::array});
  const std::vector<int> all{1, 2, 3, 4, 5};
  log.append(all);
  EXPECT_EQ(values(log, {.after = 2, .limit = 2}), (std::vector<int>{3, 4}));
  EXPECT_EQ(values(log, {.after = 4, .limit = 2, .reverse = true}), (std::vector<int>{3, 2}));
  EXPECT_EQ(values(log, {.reverse = true}), (std::vector<int>{5, 4, 3, 2, 1}));
  EXPECT_EQ(values(log, {.after = 9}), std::vector<int>{});
  EXPECT_EQ(values(log, {.after = 0, .reverse = true}), std::vector<int>{});
  EXPECT_EQ(values(log, {.after = 9, .limit = 1, .reverse = true}), std::vector<int>{5});
}

TEST_P(ArrayLogTest, AppendAfterAFailedWriteAndRetryYieldsEachEntryOnce) {
  for (const Moment moment : {Moment::before, Moment::after}) {
    AppendLogTier<int> log(backend(), {.name = moment == Moment::before ? "before" : "after", .form = LogForm::array});
    log.append(1);
    log.append(2);
    backend()->fail_every(Operation::apply, moment);
    EXPECT_THROW(log.append(3), IoError);
    backend()->heal();
    log.append(4);
    EXPECT_EQ(values(log), (std::vector<int>{1, 2, 3, 4}));
  }
}

TEST_P(ArrayLogTest, AnotherWriterBetweenReadAndWriteLosesNothing) {
  AppendLogTier<int> log(backend(), {.form = LogForm::array});
  log.append(1);
  bool once = false;
  backend()->fail_when([&](const FaultyBackend::Call& call) {
    if (call.operation == Operation::apply && !std::exchange(once, true)) put("log", "[1,2]");
    return false;
  });
  log.append(3);
  backend()->heal();
  EXPECT_EQ(text_of("log"), "[1,2,3]");
}

TEST_P(ArrayLogTest, WhatIsNoArrayStopsAppendsAndIsLeftAlone) {
  for (const char* damage : {"", "[1,2", "{}", "7", "[1,]"}) {
    AppendLogTier<int> log(backend(), {.form = LogForm::array});
    put("log", damage);
    EXPECT_THROW(log.append(1), CorruptionError) << damage;
    EXPECT_THROW(static_cast<void>(log.scan()), CorruptionError) << damage;
    EXPECT_EQ(text_of("log"), damage);
    EXPECT_TRUE(log.has_pending()) << "a flush that fails keeps what it was to write";
  }
}

TEST_P(ArrayLogTest, CannotTruncateAndNeedsACodecThatWritesJson) {
  EXPECT_THROW(TextLog(backend(), {.form = LogForm::array}), OptionError);
  AppendLogTier<int> log(backend(), {.form = LogForm::array});
  EXPECT_THROW(log.truncate_before(1), UnsupportedError);
  EXPECT_THROW(static_cast<void>(log.last_sequence()), UnsupportedError);
}

}  // namespace
}  // namespace holdfast::testing
