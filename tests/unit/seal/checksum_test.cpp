#include "holdfast/seal/checksum.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "holdfast/core/error.hpp"
#include "holdfast/core/sha256.hpp"

namespace holdfast {
namespace {

StoreId store_id() {
  StoreId id;
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(i);
  return id;
}

Place place_of(std::string_view key) {
  return {.store = store_id(), .table = 7, .key = as_bytes(key)};
}

Bytes sealed(const Place& place, std::string_view value) {
  Bytes out;
  ChecksumSeal().seal(place, as_bytes(value), out);
  return out;
}

ByteView opened(const Place& place, ByteView bytes) {
  Bytes scratch;
  return ChecksumSeal().open(place, bytes, scratch);
}

TEST(ChecksumSeal, TheBytesAreThoseOfTheFormat) {
  EXPECT_EQ(ChecksumSeal().name(), "checksum/1");
  EXPECT_EQ(to_hex(sealed(place_of("graph/wal/1"), R"({"a":1})")),
            "7b2261223a317d"
            "e401f9a9039b4103f79ead1e8964280db43a2069944f6d5a1325ee52e9eb218d");
  EXPECT_EQ(to_hex(sealed({}, "")), "f56240723fb5d80ecaac2d1c529af4ccdc7ead07b301bb8cf3d794008f03cb74");
}

TEST(ChecksumSeal, WhatWasSealedOpensInItsPlaceWithoutACopy) {
  for (const std::string& value : {std::string(), std::string("v"), std::string(100'000, '\0')}) {
    for (const std::string& key : {std::string(), std::string("k"), std::string(511, '\xff')}) {
      const Bytes bytes = sealed(place_of(key), value);
      EXPECT_EQ(bytes.size(), value.size() + ChecksumSeal().overhead_bytes());
      const ByteView lent = opened(place_of(key), bytes);
      EXPECT_EQ(as_text(lent), value);
      EXPECT_EQ(lent.data(), bytes.data());
    }
  }
}

TEST(ChecksumSeal, SealAppendsAndLeavesWhatWasThere) {
  Bytes out = to_bytes("before");
  ChecksumSeal().seal(place_of("k"), as_bytes("v"), out);
  EXPECT_EQ(as_text(ByteView(out).first(6)), "before");
  EXPECT_EQ(as_text(opened(place_of("k"), ByteView(out).subspan(6))), "v");
}

TEST(ChecksumSeal, AFlipOfAnyBitIsCorruption) {
  Bytes bytes = sealed(place_of("k"), "a value");
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto flip = std::byte{1} << (bit % 8);
    bytes[bit / 8] ^= flip;
    EXPECT_THROW(static_cast<void>(opened(place_of("k"), bytes)), CorruptionError) << "bit " << bit;
    bytes[bit / 8] ^= flip;
  }
  EXPECT_EQ(as_text(opened(place_of("k"), bytes)), "a value");
}

TEST(ChecksumSeal, AnyOtherLengthIsCorruption) {
  const Bytes bytes = sealed(place_of("k"), "a value");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(static_cast<void>(opened(place_of("k"), ByteView(bytes).first(length))), CorruptionError) << length;
    EXPECT_THROW(static_cast<void>(opened(place_of("k"), ByteView(bytes).subspan(bytes.size() - length))),
                 CorruptionError)
        << length;
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_THROW(static_cast<void>(opened(place_of("k"), longer)), CorruptionError);
}

TEST(ChecksumSeal, AValueThatWasMovedDoesNotOpen) {
  const Place home = place_of("key");
  const Bytes bytes = sealed(home, "value");
  Place other_table = home;
  other_table.table = 8;
  Place other_store = home;
  other_store.store[15] ^= std::byte{1};
  for (const Place& place : {place_of("ke"), place_of("keyv"), place_of(""), other_table, other_store}) {
    EXPECT_THROW(static_cast<void>(opened(place, bytes)), CorruptionError);
  }
  // The end of the key and the beginning of the value do not run together.
  EXPECT_NE(sealed(place_of("ab"), "c"), sealed(place_of("a"), "bc"));
  const auto digest = [](const Bytes& b) { return to_hex(ByteView(b).last(sizeof(Digest))); };
  EXPECT_NE(digest(sealed(place_of("ab"), "c")), digest(sealed(place_of("a"), "bc")));
}

TEST(ChecksumSeal, CorruptionNamesThePlaceAndBothDigestsButNotTheValue) {
  const Bytes sound = sealed(place_of("k\n"), "secret");
  Bytes damaged = sound;
  damaged[0] ^= std::byte{1};
  try {
    static_cast<void>(opened(place_of("k\n"), damaged));
    FAIL() << "opened";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.facts().where, "store 000102030405060708090a0b0c0d0e0f, table 7, key \"k\\x0a\"");
    EXPECT_EQ(error.facts().want, "digest " + to_hex(ByteView(sound).last(32)));
    const Bytes as_found = sealed(place_of("k\n"), as_text(ByteView(damaged).first(6)));
    EXPECT_EQ(error.facts().got, to_hex(ByteView(as_found).last(32)) + " over 6 bytes");
    EXPECT_EQ(std::string(error.what()).find("ecret"), std::string::npos);
  }
  try {
    static_cast<void>(opened(place_of("k"), Bytes(31)));
    FAIL() << "opened";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.facts().got, "31 bytes");
  }
}

}  // namespace
}  // namespace holdfast
