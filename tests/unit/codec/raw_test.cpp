#include "holdfast/codec/raw.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

template <class T>
std::string hex(T value) {
  Bytes out;
  RawCodec<T>().encode(value, out);
  return to_hex(out);
}

TEST(RawCodec, IntegersAreLittleEndianAtExactlyTheirWidth) {
  EXPECT_EQ(hex(std::uint8_t{0xAB}), "ab");
  EXPECT_EQ(hex(std::uint16_t{0x0102}), "0201");
  EXPECT_EQ(hex(std::uint32_t{0x01020304}), "04030201");
  EXPECT_EQ(hex(std::uint64_t{0x0102030405060708}), "0807060504030201");
  EXPECT_EQ(hex(std::int16_t{-2}), "feff");
  EXPECT_EQ(hex(std::numeric_limits<std::int64_t>::min()), "0000000000000080");
}

TEST(RawCodec, AnIntegerOfAnotherWidthIsRefused) {
  for (const std::size_t width : {0U, 3U, 5U, 8U}) {
    EXPECT_THROW(static_cast<void>(RawCodec<std::uint32_t>().decode(Bytes(width))), CodecError) << width;
  }
}

TEST(RawCodec, BytesAndTextAreStoredAsTheyAre) {
  EXPECT_EQ(hex(std::string("a\0\xff", 3)), "6100ff");
  EXPECT_EQ(hex(Bytes{std::byte{0}, std::byte{0x80}}), "0080");
  EXPECT_EQ(hex(std::string()), "");
}

}  // namespace
}  // namespace holdfast
