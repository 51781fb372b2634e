#include "tier_fixture.hpp"

namespace holdfast::testing {
namespace {

class SnapshotTierTest : public TierTest {};
INSTANTIATE_TEST_SUITE_P(Stores, SnapshotTierTest, ::testing::ValuesIn(store_kinds()), store_name);

/// The key of "blue:1" is "states/blue".
std::string key_by_colour(const Text& text) {
  return "states/" + text.substr(0, text.find(':'));
}

TEST_P(SnapshotTierTest, StoresUnderItsNameAndGivesItBackAfterARestart) {
  {
    TextSnapshot state(backend(), {.name = "state"});
    EXPECT_EQ(state.load(), std::nullopt);
    EXPECT_TRUE(state.save("1"));
    EXPECT_TRUE(state.save("2"));
    EXPECT_EQ(stored_keys(), Texts{"state"});
  }
  restart();
  const TextSnapshot state(backend(), {.name = "state"});
  EXPECT_EQ(state.load(), "2");
}

TEST_P(SnapshotTierTest, OneValueWaitsTheLastSaveWinsAndLoadDoesNotSeeIt) {
  TextSnapshot state(backend(), {.debounce = true});
  state.save("1");
  state.save("2");
  EXPECT_EQ(state.load(), std::nullopt);
  state.flush();
  EXPECT_EQ(state.load(), "2");
}

TEST_P(SnapshotTierTest, WithKeyOfTheLastKeyIsFoundAfterARestart) {
  {
    TextSnapshot state(backend(), {.name = "state", .key_of = key_by_colour});
    EXPECT_EQ(state.load(), std::nullopt);
    state.save("blue:1");
    state.save("red:2");
    EXPECT_EQ(stored_keys(), (Texts{"state/latest", "states/blue", "states/red"}));
    EXPECT_EQ(stored()->read("state/latest"), to_bytes("states/red"));
  }
  restart();
  TextSnapshot state(backend(), {.name = "state", .key_of = key_by_colour});
  EXPECT_EQ(state.load(), "red:2");
}

TEST_P(SnapshotTierTest, ValueAndLatestKeyAreOneBatch) {
  TextSnapshot state(backend(), {.key_of = key_by_colour});
  state.save("blue:1");
  backend()->heal();
  state.save("red:2");
  EXPECT_EQ(backend()->calls(), 1U);
  backend()->fail_every(Operation::apply);
  EXPECT_THROW(state.save("green:3"), IoError);
  EXPECT_EQ(state.load(), "red:2");
  EXPECT_THROW(state.save("white:4"), IoError);
  backend()->heal();
  state.flush();
  EXPECT_EQ(state.load(), "white:4");
  EXPECT_FALSE(stored()->read("states/green")) << "one value waits: the newer one";
}

TEST_P(SnapshotTierTest, KeyOfMustNotGiveTheKeyOfTheLatestKey) {
  TextSnapshot state(backend(), {.name = "state", .key_of = [](const Text&) { return "state/latest"; }});
  EXPECT_THROW(state.save("1"), ConflictError);
  EXPECT_FALSE(state.has_pending());
  EXPECT_EQ(stored_keys(), Texts{});
}

TEST_P(SnapshotTierTest, ALatestKeyThatNamesNothingIsCorruptNotAbsent) {
  TextSnapshot state(backend(), {.name = "state", .key_of = key_by_colour});
  state.save("blue:1");
  stored()->erase("states/blue");
  EXPECT_THROW(static_cast<void>(state.load()), CorruptionError);
}

TEST_P(SnapshotTierTest, AnUndecodableValueIsNamedNotAbsent) {
  TextKv(backend()).save("state", "{");
  const SnapshotTier<int> state(backend(), {.name = "state"});
  try {
    static_cast<void>(state.load());
    FAIL() << "read a value that is no number";
  } catch (const CodecError& error) {
    EXPECT_NE(std::string(error.what()).find("\"state\""), std::string::npos) << error.what();
  }
}

TEST_P(SnapshotTierTest, CadenceCountsAcceptedSavesAndAFlushDoesNotResetIt) {
  TextSnapshot state(backend(),
                     {.debounce = true, .compact_every = 3, .filter = [](const Text& text) { return text != "no"; }});
  state.save("1");
  EXPECT_FALSE(state.save("no"));
  EXPECT_FALSE(state.save("no"));
  state.flush();
  state.save("2");
  EXPECT_EQ(state.load(), "1");
  state.save("3");
  EXPECT_EQ(state.load(), "3");
}

TEST_P(SnapshotTierTest, OptionsAreJudgedAtConstruction) {
  EXPECT_THROW(TextSnapshot(backend(), {.compact_every = 0}), OptionError);
  EXPECT_THROW(TextKv(backend(), {.compact_every = 0}), OptionError);
  EXPECT_THROW(TextLog(backend(), {.compact_every = 0}), OptionError);
  EXPECT_THROW(TextSnapshot(backend(), {.name = ""}), OptionError);
  EXPECT_THROW(TextSnapshot(std::shared_ptr<StorageBackend>()), OptionError);
}

}  // namespace
}  // namespace holdfast::testing
