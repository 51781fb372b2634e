#include "holdfast/core/bytes.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "holdfast/core/byte_order.hpp"

namespace holdfast {
namespace {

TEST(Hex, EveryByteIsTwoLowerCaseDigitsAndBack) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::byte>(i));
  const std::string text = to_hex(all);
  EXPECT_EQ(text.size(), 512U);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(text.substr(504), "fcfdfeff");
  EXPECT_EQ(from_hex(text), all);
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(from_hex(""), Bytes());
}

TEST(Hex, EitherCaseIsReadAndNothingElse) {
  EXPECT_EQ(from_hex("aBCdeF"), from_hex("abcdef"));
  for (const char* broken : {"a", "abc", "0g", "g0", " 0", "0 ", "0x", "+1", "-1", "é"}) {
    EXPECT_EQ(from_hex(broken), std::nullopt) << broken;
  }
}

TEST(Bytes, OrderIsUnsignedAndAPrefixComesFirst) {
  const std::vector<std::string> ascending = {
      "", std::string(1, '\0'), std::string(2, '\0'), "\x01", "a", "aa", "b", "\x7f", "\x80", "\xff", "\xff\xff"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(compare(as_bytes(ascending[i]), as_bytes(ascending[j])), i <=> j) << i << ' ' << j;
      EXPECT_EQ(equal(as_bytes(ascending[i]), as_bytes(ascending[j])), i == j);
    }
  }
}

TEST(Bytes, TextAndBytesAreTheSameThingSeenTwice) {
  const std::string text("a\0\xff", 3);
  EXPECT_EQ(as_text(as_bytes(text)), text);
  EXPECT_EQ(to_text(to_bytes(text)), text);
  Bytes out = to_bytes("x");
  append(out, text);
  append(out, ByteView());
  EXPECT_EQ(as_text(out), "x" + text);
}

TEST(ByteOrder, IsTheStatedOneAndNotTheHosts) {
  constexpr std::uint32_t value = 0x01020304;
  EXPECT_EQ(to_hex(little_endian(value)), "04030201");
  EXPECT_EQ(to_hex(big_endian(value)), "01020304");
  EXPECT_EQ(from_little_endian<std::uint32_t>(little_endian(value)), value);
  EXPECT_EQ(from_big_endian<std::uint32_t>(big_endian(value)), value);
  EXPECT_EQ(from_big_endian<std::uint8_t>(big_endian(std::uint8_t{0xFE})), 0xFE);
  EXPECT_EQ(from_little_endian<std::uint64_t>(little_endian(~std::uint64_t{0} - 1)), ~std::uint64_t{0} - 1);
}

/// UTF-8 by definition: the encoding of a code point that is no surrogate.
std::string utf8_of(std::uint32_t code_point) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  const auto tail = [&](unsigned shift) { return byte(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point < 0x80) return {byte(code_point)};
  if (code_point < 0x800) return {byte(0xC0 | code_point >> 6), tail(0)};
  if (code_point < 0x10000) return {byte(0xE0 | code_point >> 12), tail(6), tail(0)};
  return {byte(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryCodePointIsAcceptedButTheSurrogates) {
  for (std::uint32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    ASSERT_EQ(is_utf8(utf8_of(code_point)), !surrogate) << std::hex << code_point;
  }
}

TEST(Utf8, NothingElseOfThreeBytesIsAccepted) {
  // As many strings of three bytes must pass as there are ways to compose them of whole sequences.
  constexpr std::uint64_t one = 0x80, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800;
  constexpr std::uint64_t want = one * one * one + 2 * one * two + three;
  std::uint64_t accepted = 0;
  std::string text(3, '\0');
  for (std::uint32_t word = 0; word < 0x1000000; ++word) {
    text[0] = static_cast<char>(word >> 16);
    text[1] = static_cast<char>(word >> 8 & 0xFF);
    text[2] = static_cast<char>(word & 0xFF);
    if (is_utf8(text)) ++accepted;
  }
  EXPECT_EQ(accepted, want);
}

TEST(Utf8, IllFormedSequencesAreRefusedWhereTheyBegin) {
  for (const char* broken : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80",
                             "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                             "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "\xC2\x41", "\xE2\x82\x41"}) {
    for (std::size_t before = 0; before < 20; ++before) {  // whatever the position within a word
      const std::string text = std::string(before, 'x') + broken + std::string(20 - before, 'y');
      EXPECT_EQ(utf8_prefix_bytes(text), before) << to_hex(as_bytes(broken));
      EXPECT_EQ(utf8_prefix_bytes(std::string(before, 'x') + broken), before) << to_hex(as_bytes(broken));
      EXPECT_FALSE(is_utf8(text));
    }
  }
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8(std::string(100, '\0') + "é👋" + std::string(7, 'x')));
}

}  // namespace
}  // namespace holdfast
