#include "holdfast/codec/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"
#include "holdfast/core/sha256.hpp"

namespace holdfast {
namespace {

Json golden() {
  std::ifstream file(HOLDFAST_GOLDEN_DIR "/canonical-json.json", std::ios::binary);
  return parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string text(const Json& value) {
  return canonical_text(value);
}

/// The offset that reading `broken` fails at; fails the test when it does not.
std::size_t refusal_offset(std::string_view broken) {
  try {
    const Json value = parse_json(broken);
    ADD_FAILURE() << broken << " was read as " << text(value);
  } catch (const CodecError& error) {
    if (error.facts().offset_bytes) return *error.facts().offset_bytes;
    ADD_FAILURE() << "no offset: " << error.what();
  }
  return std::string::npos;
}

TEST(CanonicalJson, EveryGoldenCaseIsWrittenByteForByte) {
  const Json cases = golden().at("cases");
  EXPECT_EQ(cases.size(), 36U);
  for (const Json& entry : cases) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    const std::string written = text(parse_json(entry.at("input").get<std::string>()));
    EXPECT_EQ(to_hex(as_bytes(written)), entry.at("canonical_utf8_hex").get<std::string>());
    EXPECT_EQ(to_hex(sha256(as_bytes(written))), entry.at("sha256").get<std::string>());
  }
}

TEST(CanonicalJson, OurExtensionsAreWrittenByteForByte) {
  const Json cases = golden().at("ours");
  EXPECT_EQ(cases.size(), 5U);
  for (const Json& entry : cases) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    EXPECT_EQ(text(parse_json(entry.at("input").get<std::string>())), entry.at("canonical").get<std::string>());
  }
}

TEST(CanonicalJson, EveryGoldenRefusalIsRefused) {
  const Json cases = golden().at("refused");
  EXPECT_EQ(cases.size(), 11U);
  for (const Json& entry : cases) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    refusal_offset(entry.at("input").get<std::string>());
  }
}

TEST(CanonicalJson, DoublesHaveTheirEcmascriptForm) {
  const std::map<std::string, double> forms = {
      {"0", -0.0},
      {"1", 1.0},
      {"-1", -1.0},
      {"0.1", 0.1},
      {"-0.1", -0.1},
      {"123.456", 123.456},
      {"100000000000000000000", 1e20},
      {"-100000000000000000000", -1e20},
      {"123456789012345680000", 123456789012345678901.0},
      {"1e+21", 1e21},
      {"1.2345e+25", 1.2345e25},
      {"0.000001", 1e-6},
      {"0.0000012", 1.2e-6},
      {"1e-7", 1e-7},
      {"1.5e-7", 1.5e-7},
      {"5e-324", 5e-324},
      {"1.7976931348623157e+308", std::numeric_limits<double>::max()},
      {"2.2250738585072014e-308", std::numeric_limits<double>::min()},
      {"9007199254740991", 9007199254740991.0},
      {"9007199254740992", 9007199254740992.0},
      {"9007199254740994", 9007199254740994.0},
      {"9223372036854776000", 0x1p63},
      {"-9223372036854776000", -0x1p63},
      {"18446744073709552000", 0x1p64},
      {"295147905179352830000", 0x1p68},
      {"4503599627370495.5", 4503599627370495.5},
      {"333333333.3333333", 333333333.33333329},
  };
  for (const auto& [form, number] : forms) EXPECT_EQ(text(number), form);
}

TEST(CanonicalJson, KeysAreInUtf16OrderNotInByteOrder) {
  Json object;
  for (const char* key : {"\uE000", "\uFFFF", "\U0001F600", "\U00010000", "\uD7FF", "z", "\U0001F600a", ""})
    object[key] = 0;
  EXPECT_EQ(
      text(object),
      "{\"\":0,\"z\":0,\"\uD7FF\":0,\"\U00010000\":0,\"\U0001F600\":0,\"\U0001F600a\":0,\"\uE000\":0,\"\uFFFF\":0}");
}

TEST(CanonicalJson, OnlyQuotesBackslashesAndControlsAreEscaped) {
  EXPECT_EQ(text(std::string("\0\x1f\b\t\n\f\r\"\\/\x7f", 11) + "é👋 <plain run of text>"),
            "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7fé👋 <plain run of text>\"");
  for (std::size_t length = 0; length < 40; ++length) {  // an escape at every position of a run
    for (std::size_t at = 0; at < length; ++at) {
      std::string plain(length, 'x');
      plain[at] = '\n';
      const std::string want = "\"" + std::string(at, 'x') + "\\n" + std::string(length - at - 1, 'x') + "\"";
      ASSERT_EQ(text(plain), want);
      ASSERT_EQ(parse_json(want), Json(plain));
    }
  }
}

TEST(CanonicalJson, TextsLongerThanAnyBlockAreWhole) {
  Json long_array = Json::array();
  std::string want = "[";
  for (int i = 0; i < 5000; ++i) {
    long_array.push_back(std::string(static_cast<std::size_t>(i % 97), 'x'));
    want += (i == 0 ? "\"" : ",\"") + std::string(static_cast<std::size_t>(i % 97), 'x') + "\"";
  }
  EXPECT_EQ(text(long_array), want + "]");
  const std::string megabytes(3'000'000, 'y');
  EXPECT_EQ(text(megabytes), "\"" + megabytes + "\"");
}

TEST(CanonicalJson, WhatHasNoJsonFormIsRefusedAndLeavesTheOutputAlone) {
  Json deep;
  for (std::size_t level = 0; level <= limits::max_json_depth; ++level) deep = Json::array({std::move(deep)});
  const std::vector<Json> refused = {std::nan(""),
                                     std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity(),
                                     Json::binary({1, 2}),
                                     "\xff",
                                     "\xed\xa0\x80",
                                     Json{{"\xc0\x80", 1}},
                                     Json(Json::value_t::discarded),
                                     deep};
  for (const Json& value : refused) {
    Bytes out = to_bytes("kept");
    EXPECT_THROW(append_canonical(Json::array({std::string(10'000, 'x'), value}), out), CodecError);
    EXPECT_EQ(as_text(out), "kept");
    EXPECT_THROW(static_cast<void>(canonical_text(value)), CodecError);
  }
}

TEST(CanonicalJson, TheLimitOfDepthIsExactBothWays) {
  const std::size_t limit = limits::max_json_depth;
  const std::string deepest = std::string(limit, '[') + std::string(limit, ']');
  EXPECT_EQ(text(parse_json(deepest)), deepest);
  EXPECT_EQ(refusal_offset("[" + deepest + "]"), limit);
  std::string objects = "1";
  for (std::size_t level = 0; level < limit; ++level) objects = "{\"k\":" + objects + "}";
  EXPECT_EQ(text(parse_json(objects)), objects);
  refusal_offset("[" + objects + "]");
}

TEST(CanonicalJson, MillionsOfLevelsAreRefusedNotRecursedInto) {
  EXPECT_EQ(refusal_offset(std::string(5'000'000, '[')), limits::max_json_depth);
  std::string objects;
  for (int level = 0; level < 1'000'000; ++level) objects += "{\"\":";
  refusal_offset(objects);
}

TEST(CanonicalJson, ThePortableProfileRefusesWhatTypescriptWouldNotVerify) {
  const auto portable = [](const Json& value) { return canonical_text(value, JsonProfile::portable); };
  constexpr std::int64_t limit = std::int64_t{1} << 53;
  for (const Json& value : {Json(limit), Json(-limit), Json(1e21), Json(0.5), Json{{"01", 1}, {"-1", 2}, {"1.5", 3}}}) {
    EXPECT_EQ(portable(value), text(value));
    EXPECT_EQ(portable(parse_json(portable(value))), portable(value));
  }
  for (const Json& value :
       {Json(limit + 1), Json(-limit - 1), Json(std::numeric_limits<std::uint64_t>::max()),
        Json(std::numeric_limits<std::int64_t>::min()), Json(1e20), Json{{"10", 1}}, Json{{"0", 1}}}) {
    EXPECT_THROW(static_cast<void>(portable(value)), CodecError) << value;
    EXPECT_NO_THROW(static_cast<void>(text(value)));
  }
}

TEST(StrictJson, IntegersOf64BitsReadBackExactly) {
  EXPECT_EQ(parse_json("18446744073709551615").get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parse_json("-9223372036854775808").get<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(parse_json("9223372036854775808").is_number_unsigned());
  EXPECT_TRUE(parse_json("18446744073709551616").is_number_float());
  EXPECT_TRUE(parse_json("-9223372036854775809").is_number_float());
}

TEST(StrictJson, AnIntegralNumberIsAnIntegerHoweverItIsWritten) {
  for (const char* one_thousand : {"1000", "1e3", "1E+3", "1000.0", "10000e-1", " \t\r\n1000 \n"}) {
    EXPECT_TRUE(parse_json(one_thousand).is_number_unsigned()) << one_thousand;
    EXPECT_EQ(text(parse_json(one_thousand)), "1000");
  }
  for (const char* zero :
       {"-0", "0.0", "-0.0", "0e9", "-0e-9", "0e99999999999999999999", "1e-400", "1e-99999999999999999999"}) {
    EXPECT_EQ(text(parse_json(zero)), "0") << zero;
    EXPECT_FALSE(parse_json(zero).is_number_float()) << zero;
  }
  EXPECT_TRUE(parse_json("-1.0").is_number_integer());
  EXPECT_TRUE(parse_json("1e300").is_number_float());
}

TEST(StrictJson, NumbersThatDoublesCannotHoldAreRefusedNeverRounded) {
  for (const std::string number : {"1e309", "-1e309", "1e999", "1e99999999999999999999", "1.8e308", "0.001e400"}) {
    EXPECT_EQ(refusal_offset("[" + number + "]"), 1U) << number;
  }
  EXPECT_EQ(refusal_offset(std::string(400, '9')), 0U);
  EXPECT_EQ(parse_json("0." + std::string(400, '0') + "1e401").get<double>(), 1.0);
  EXPECT_EQ(parse_json("1" + std::string(400, '0') + "e-400").get<double>(), 1.0);
}

TEST(StrictJson, WhatIsNotJsonIsRefusedWhereItStands) {
  const std::vector<std::pair<std::string, std::size_t>> broken = {{"", 0},
                                                                   {" ", 1},
                                                                   {"\xEF\xBB\xBF"
                                                                    "1",
                                                                    0},
                                                                   {"nul", 0},
                                                                   {"nullx", 4},
                                                                   {"True", 0},
                                                                   {"[1,]", 3},
                                                                   {"[1 2]", 3},
                                                                   {"[", 1},
                                                                   {"[1", 2},
                                                                   {"]", 0},
                                                                   {"{", 1},
                                                                   {"{1:2}", 1},
                                                                   {"{\"a\"}", 4},
                                                                   {"{\"a\":}", 5},
                                                                   {"{\"a\":1,}", 7},
                                                                   {"{\"a\":1", 6},
                                                                   {"{,}", 1},
                                                                   {"01", 1},
                                                                   {"-", 1},
                                                                   {"-a", 1},
                                                                   {"+1", 0},
                                                                   {".5", 0},
                                                                   {"1.", 2},
                                                                   {"1.e1", 2},
                                                                   {"1e", 2},
                                                                   {"1e+", 3},
                                                                   {"0x1", 1},
                                                                   {"\"", 1},
                                                                   {"\"a", 2},
                                                                   {"\"\n\"", 1},
                                                                   {"\"\\x\"", 1},
                                                                   {"\"\\", 1},
                                                                   {"\"\\u12\"", 3},
                                                                   {"\"\\u12g4\"", 3},
                                                                   {"\"\\u-123\"", 3},
                                                                   {"\"\\ud800\"", 1},
                                                                   {"\"\\udc00\"", 1},
                                                                   {"\"\\ud800x\"", 1},
                                                                   {"\"\\ud800\\n\"", 1},
                                                                   {"\"\\ud800\\u0041\"", 1},
                                                                   {"1 x", 2},
                                                                   {"1,2", 1},
                                                                   {"\"\xff\"", 1},
                                                                   {"\"a\xed\xa0\x80\"", 2},
                                                                   {"\"\xc0\x80\"", 1},
                                                                   {"\"\xf4\x90\x80\x80\"", 1},
                                                                   {std::string("1\0", 2), 1},
                                                                   {std::string("1\0x", 3), 1},
                                                                   {"{\"a\":1,\"a\":1}", 7},
                                                                   {"{\"a\":1,\"\\u0061\":2}", 7},
                                                                   {"/* no */1", 0},
                                                                   {"1//no", 1},
                                                                   {"Infinity", 0},
                                                                   {"-Infinity", 1},
                                                                   {"\v1", 0}};
  for (const auto& [input, offset] : broken) EXPECT_EQ(refusal_offset(input), offset) << input;
}

TEST(StrictJson, AnyOtherSpellingOfAValueReadsAsThatValue) {
  EXPECT_EQ(text(parse_json(" { \"b\" : [ 1 , 2.50 , true , false , null ] ,\n\"a\" : { } , \"c\" : [ ] } ")),
            R"({"a":{},"b":[1,2.5,true,false,null],"c":[]})");
  EXPECT_EQ(text(parse_json(R"("\u0041\u00e9\u20ac\ud83d\udc4b\/\b\f\n\r\t\"\\")")),
            "\"Aé€👋/\\b\\f\\n\\r\\t\\\"\\\\\"");
}

struct Point {
  int x = 0;
  std::string label{};
  bool operator==(const Point&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Point, x, label)

struct Moody {};
void to_json(Json&, const Moody&) {
  throw 42;
}
void from_json(const Json&, Moody&) {
  throw std::domain_error("not today");
}

template <class T>
std::string encoded(const JsonCodec<T>& codec, const T& value) {
  Bytes out;
  codec.encode(value, out);
  return to_text(out);
}

TEST(JsonCodec, AnyTypeWithConversionsIsStoredAsCanonicalJson) {
  const JsonCodec<Point> codec;
  EXPECT_EQ(encoded(codec, Point{3, "c"}), R"({"label":"c","x":3})");
  EXPECT_EQ(codec.decode(as_bytes(R"( {"x":3,"label":"c","more":[]} )")), (Point{3, "c"}));
}

TEST(JsonCodec, WhatFromJsonThrowsIsACodecErrorWithTheCauseInside) {
  for (const char* mismatch : {R"({"x":3})", R"({"x":"3","label":"c"})", "[]", "null"}) {
    EXPECT_THROW(static_cast<void>(JsonCodec<Point>().decode(as_bytes(mismatch))), CodecError) << mismatch;
  }
  try {
    static_cast<void>(JsonCodec<Moody>().decode(as_bytes("1")));
    FAIL();
  } catch (const CodecError& error) {
    EXPECT_STREQ(error.what(), "[holdfast.301] json: from_json: not today");
    EXPECT_THROW(std::rethrow_if_nested(error), std::domain_error);
  }
  EXPECT_THROW(encoded(JsonCodec<Moody>(), Moody{}), CodecError);
}

TEST(JsonCodec, AnIntegerThatDoesNotFitIsRefusedNotCut) {
  EXPECT_EQ(JsonCodec<std::int8_t>().decode(as_bytes("-128")), -128);
  EXPECT_EQ(JsonCodec<int>().decode(as_bytes("1e3")), 1000);
  EXPECT_THROW(static_cast<void>(JsonCodec<std::int8_t>().decode(as_bytes("128"))), CodecError);
  EXPECT_THROW(static_cast<void>(JsonCodec<int>().decode(as_bytes("1.5"))), CodecError);
  EXPECT_THROW(static_cast<void>(JsonCodec<int>().decode(as_bytes("true"))), CodecError);
  EXPECT_THROW(static_cast<void>(JsonCodec<unsigned>().decode(as_bytes("-1"))), CodecError);
  EXPECT_THROW(static_cast<void>(JsonCodec<std::int64_t>().decode(as_bytes("18446744073709551615"))), CodecError);
}

TEST(JsonCodec, TheProfileIsTheCodecs) {
  EXPECT_THROW(encoded(JsonCodec<Json>(JsonProfile::portable), Json{{"7", 1}}), CodecError);
  EXPECT_EQ(encoded(JsonCodec<Json>(), Json{{"7", 1}}), R"({"7":1})");
}

}  // namespace
}  // namespace holdfast
