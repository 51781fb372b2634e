#include "db/stored_key.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::detail {
namespace {

std::string round_trip(std::string_view key) {
  const StoredKey stored(as_bytes(key));
  return to_text(lent_key(stored.view()));
}

TEST(StoredKey, IsOfTheseBytes) {
  using namespace std::string_literals;
  EXPECT_EQ(to_hex(StoredKey({}).view()), "00");
  EXPECT_EQ(to_hex(StoredKey(as_bytes("\0"s)).view()), "0000");
  EXPECT_EQ(to_hex(StoredKey(as_bytes("\0\0a"s)).view()), "00000061");
  EXPECT_EQ(to_hex(StoredKey(as_bytes("a\0"s)).view()), "6100");
}

TEST(StoredKey, KeepsOrderAndComesBack) {
  using namespace std::string_literals;
  const std::vector<std::string> ordered = {"",        "\0"s,   "\0\0"s,   "\0\0\0"s, "\0\x01"s, "\0\x01\x01"s,
                                            "\0\xFF"s, "\x01"s, "\x01\0"s, "a",       "a\0"s,    "\xFF"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    EXPECT_EQ(round_trip(ordered[i]), ordered[i]);
    if (i > 0) {
      EXPECT_TRUE(compare(StoredKey(as_bytes(ordered[i - 1])).view(), StoredKey(as_bytes(ordered[i])).view()) < 0) << i;
    }
  }
}

TEST(StoredKey, IsAtMost511BytesLong) {
  EXPECT_NO_THROW(StoredKey(as_bytes(std::string(511, 'k'))).checked());
  EXPECT_THROW(StoredKey(as_bytes(std::string(512, 'k'))).checked(), LimitError);
  EXPECT_NO_THROW(StoredKey(as_bytes(std::string(510, '\0'))).checked());
  EXPECT_THROW(StoredKey(as_bytes(std::string(511, '\0'))).checked(), LimitError);
}

TEST(StoredKey, ThatNobodyWroteIsCorruption) {
  EXPECT_THROW(static_cast<void>(lent_key(to_bytes(std::string_view("\0\x02x", 3)))), CorruptionError);
  EXPECT_THROW(static_cast<void>(lent_key({})), CorruptionError);
}

}  // namespace
}  // namespace holdfast::detail
