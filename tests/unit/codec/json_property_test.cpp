// Random values and random texts against the rules of canonical JSON, with nlohmann's parser and the C library's number
// formatting as second opinions.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"
#include "unit/codec/property.hpp"

namespace holdfast {
namespace {

using testing::check_property;

std::string random_text() {
  static const std::vector<std::string> pieces = {
      "",  "a",    "longer than one word", "\"", "\\",         "/",      "\n",    "é",
      "€", "\x7f", std::string(1, '\0'),   "1",  "\U0001F600", "\uE000", "\uD7FF"};
  std::string text;
  for (int count = *rc::gen::inRange(0, 5); count > 0; --count) text += *rc::gen::elementOf(pieces);
  return text;
}

double random_double() {
  const double bits = std::bit_cast<double>(*rc::gen::arbitrary<std::uint64_t>());
  const double near_integer =
      std::ldexp(static_cast<double>(*rc::gen::arbitrary<std::int64_t>()), *rc::gen::inRange(-60, 8));
  return std::isfinite(bits) && *rc::gen::arbitrary<bool>() ? bits : near_integer;
}

Json random_value(int levels) {
  switch (*rc::gen::inRange(0, levels > 0 ? 10 : 6)) {
    case 0: return nullptr;
    case 1: return *rc::gen::arbitrary<bool>();
    case 2: return *rc::gen::arbitrary<std::int64_t>();
    case 3: return *rc::gen::arbitrary<std::uint64_t>();
    case 4: return random_double();
    case 5: return random_text();
    case 6:
    case 7: {
      Json items = Json::array();
      for (int count = *rc::gen::inRange(0, 4); count > 0; --count) items.push_back(random_value(levels - 1));
      return items;
    }
    default: {
      Json members = Json::object();
      for (int count = *rc::gen::inRange(0, 6); count > 0; --count) members[random_text()] = random_value(levels - 1);
      return members;
    }
  }
}

TEST(CanonicalJsonLaw, AnyValueReadsBackAndItsTextIsAFixedPoint) {
  check_property([] {
    const Json value = random_value(4);
    const std::string text = canonical_text(value);
    const Json read = parse_json(text);
    RC_ASSERT(read == value);
    RC_ASSERT(canonical_text(read) == text);
  });
}

TEST(CanonicalJsonLaw, EverySpellingOfAValueHasOneCanonicalText) {
  check_property([] {
    const Json value = random_value(4);
    const std::string text = canonical_text(value);
    RC_ASSERT(canonical_text(parse_json(value.dump())) == text);
    RC_ASSERT(canonical_text(parse_json(value.dump(2, ' ', true))) == text);
    RC_ASSERT(canonical_text(Json::parse(text)) == text);
  });
}

TEST(CanonicalJsonLaw, ADoubleHasTheShortestDigitsThatReadBackAsIt) {
  check_property([] {
    const double number = random_double();
    const std::string text = canonical_text(number);
    RC_ASSERT(std::strtod(text.c_str(), nullptr) == number);
    std::string digits;  // significant ones
    for (const char c : text.substr(0, text.find('e'))) {
      if (c >= '0' && c <= '9' && !(digits.empty() && c == '0')) digits.push_back(c);
    }
    digits.erase(digits.find_last_not_of('0') + 1);
    if (std::abs(number) < 0x1p53 && std::trunc(number) == number) return;  // written as the integer it is
    std::array<char, 64> buffer{};
    const auto rounded = [&](std::size_t digit_count) {
      std::snprintf(buffer.data(), buffer.size(), "%.*e", static_cast<int>(digit_count) - 1, number);
      return std::string(buffer.data());
    };
    RC_ASSERT(digits.size() <= 17U);
    if (digits.size() > 1) RC_ASSERT(std::strtod(rounded(digits.size() - 1).c_str(), nullptr) != number);
  });
}

/// Texts that are nearly JSON: a canonical or indented text with a few random changes.
std::string nearly_json() {
  static const std::string letters = std::string("{}[]\",:0123456789.eE+-truefalsn\\u \n\x01\xff") + '\0';
  std::string text = random_value(3).dump(*rc::gen::element(-1, 1));
  for (int changes = *rc::gen::inRange(0, 4); changes > 0; --changes) {
    const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
    const char letter = *rc::gen::elementOf(letters);
    switch (*rc::gen::inRange(0, 3)) {
      case 0: text.insert(at, 1, letter); break;
      case 1: text.erase(at, 1); break;
      default:
        if (at < text.size()) text[at] = letter;
    }
  }
  return text;
}

TEST(CanonicalJsonLaw, WhatTheStrictReaderAcceptsAnotherReaderAcceptsWithTheSameValue) {
  check_property([] {
    const std::string text = nearly_json();
    try {
      const Json read = parse_json(text);
      RC_ASSERT(Json::parse(text) == read);
      RC_ASSERT(parse_json(canonical_text(read)) == read);
    } catch (const CodecError& error) {
      RC_ASSERT(error.facts().offset_bytes.has_value());
      RC_ASSERT(*error.facts().offset_bytes <= text.size());
      // What only we refuse, for a reason of our own.
      const std::string& problem = error.facts().problem;
      RC_ASSERT(!Json::accept(text) || problem == "a key stands twice in one object" ||
                text.find('\0') != std::string::npos);
    }
  });
}

TEST(CanonicalJsonLaw, RandomBytesAreRefusedOrHaveACanonicalText) {
  check_property([] {
    const std::string text = to_text(testing::random_bytes());
    try {
      const Json read = parse_json(text);
      RC_ASSERT(parse_json(canonical_text(read)) == read);
    } catch (const CodecError&) {  // refused, as it may be
    }
  });
}

}  // namespace
}  // namespace holdfast
