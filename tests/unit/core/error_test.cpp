#include "holdfast/core/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <type_traits>
#include <vector>

#include "core/printable.hpp"

namespace holdfast {
namespace {

/// Throws `error` and catches it as the base: what an application's last resort sees.
template <class Leaf>
void expect_shown(const Leaf& error, int code, const std::string& message) {
  static_assert(std::is_base_of_v<Error, Leaf>);
  try {
    throw error;
  } catch (const Error& caught) {
    EXPECT_EQ(caught.code(), code);
    EXPECT_EQ(caught.what(), "[holdfast." + std::to_string(code) + "] " + message);
    EXPECT_NE(dynamic_cast<const Leaf*>(&caught), nullptr);
  }
}

TEST(Errors, IoErrorSaysWhatWasDoneToWhatAndWhy) {
  const IoError error({.operation = "rename", .path = "state/a.bin", .error_number = ENOSPC});
  expect_shown(error, 101, "state/a.bin: rename: No space left on device (errno " + std::to_string(ENOSPC) + ")");
  EXPECT_EQ(error.facts().operation, "rename");
  EXPECT_EQ(error.facts().path, "state/a.bin");
  EXPECT_EQ(error.facts().error_number, ENOSPC);
}

TEST(Errors, CorruptionErrorSaysWhereAndWhatStandsThereInstead) {
  const CorruptionError error({.where = "state/000012", .offset_bytes = 8192, .want = "digest 9f3c", .got = "00ab"});
  expect_shown(error, 201, "state/000012: at byte 8192: digest 9f3c expected, 00ab found");
  EXPECT_EQ(error.facts().where, "state/000012");
  EXPECT_EQ(error.facts().offset_bytes, 8192U);
  EXPECT_EQ(error.facts().want, "digest 9f3c");
  EXPECT_EQ(error.facts().got, "00ab");
  expect_shown(CorruptionError({.where = "w", .want = "a", .got = "b"}), 201, "w: a expected, b found");
  expect_shown(CorruptionError({.offset_bytes = 0, .want = "a", .got = "b"}), 201, "at byte 0: a expected, b found");
}

TEST(Errors, CodecErrorSaysWhichCodecWhatAndWhere) {
  const CodecError error({.codec = "json", .problem = "a digit expected", .offset_bytes = 7});
  expect_shown(error, 301, "json: at byte 7: a digit expected");
  EXPECT_EQ(error.facts().codec, "json");
  EXPECT_EQ(error.facts().problem, "a digit expected");
  EXPECT_EQ(error.facts().offset_bytes, 7U);
  expect_shown(CodecError({.codec = "ordered", .problem = "NaN"}), 301, "ordered: NaN");
}

TEST(Errors, ConflictErrorNamesTheKey) {
  const ConflictError error({.key = "log/head\n", .problem = "must be absent, is not"});
  expect_shown(error, 401, "key \"log/head\\x0a\": must be absent, is not");
  EXPECT_EQ(error.facts().key, "log/head\n");
  EXPECT_EQ(error.facts().problem, "must be absent, is not");
}

TEST(Errors, LimitErrorNamesTheLimitAndBothNumbers) {
  const LimitError error({.limit = "max_key_bytes", .maximum = 511, .actual = 512, .unit = "bytes", .where = "memory"});
  expect_shown(error, 501, "memory: max_key_bytes is 511 bytes, 512 asked for");
  EXPECT_EQ(error.facts().limit, "max_key_bytes");
  EXPECT_EQ(error.facts().maximum, 511U);
  EXPECT_EQ(error.facts().actual, 512U);
  EXPECT_EQ(error.facts().unit, "bytes");
  EXPECT_EQ(error.facts().where, "memory");
}

TEST(Errors, UnsupportedErrorNamesTheCapability) {
  const UnsupportedError error({.capability = "scan", .where = "blobs"});
  expect_shown(error, 601, "blobs: scan is not supported");
  EXPECT_EQ(error.facts().capability, "scan");
  EXPECT_EQ(error.facts().where, "blobs");
}

TEST(Errors, EveryStateHasItsOwnStableCodeAndName) {
  const std::vector<std::pair<State, std::string>> states = {
      {State::closed, "closed"},       {State::poisoned, "poisoned"},         {State::in_use, "in use"},
      {State::foreign, "foreign"},     {State::newer_format, "newer format"}, {State::would_deadlock, "would deadlock"},
      {State::read_only, "read-only"}, {State::mismatched, "mismatched"},     {State::remote, "remote"},
      {State::forked, "forked"}};
  int code = 701;
  for (const auto& [state, name] : states) {
    const StateError error({.state = state, .where = "a store", .problem = "what was attempted"});
    expect_shown(error, code++, "a store: " + name + ": what was attempted");
    EXPECT_EQ(error.facts().state, state);
    EXPECT_EQ(error.facts().where, "a store");
    EXPECT_EQ(error.facts().problem, "what was attempted");
  }
}

TEST(Errors, OptionErrorNamesTheOption) {
  const OptionError error({.option = "compact_every", .problem = "0 would never flush"});
  expect_shown(error, 801, "option compact_every: 0 would never flush");
  EXPECT_EQ(error.facts().option, "compact_every");
  EXPECT_EQ(error.facts().problem, "0 would never flush");
}

TEST(Printable, KeysAreQuotedEscapedAndCut) {
  EXPECT_EQ(printable(""), "\"\"");
  EXPECT_EQ(printable("g/01 ~"), "\"g/01 ~\"");
  EXPECT_EQ(printable(std::string("\0\x1f\x7f\"\\é", 7)), "\"\\x00\\x1f\\x7f\\x22\\x5c\\xc3\\xa9\"");
  EXPECT_EQ(printable(std::string(64, 'k')), '"' + std::string(64, 'k') + '"');
  EXPECT_EQ(printable(std::string(65, 'k')), '"' + std::string(64, 'k') + "\"... (65 bytes)");
}

}  // namespace
}  // namespace holdfast
