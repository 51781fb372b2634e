#include "holdfast/codec/ordered.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "holdfast/core/error.hpp"
#include "unit/codec/property.hpp"

namespace holdfast {
namespace {

using testing::check_property;
using testing::random_bytes;

template <class K>
Bytes encoded(const K& key) {
  Bytes out;
  OrderedCodec<K>().encode(key, out);
  return out;
}

template <class K>
std::string hex(const K& key) {
  return to_hex(encoded(key));
}

// Random keys that are often equal, adjacent, or prefixes of each other.

template <class K>
struct Random;

template <class K>
K random_key() {
  return Random<K>::key();
}

template <StoredInteger T>
struct Random<T> {
  static T key() {
    using Limits = std::numeric_limits<T>;
    const std::vector<T> edges = {Limits::min(), Limits::max(), static_cast<T>(-1), 0, 1, 0x7F};
    return *rc::gen::oneOf(rc::gen::arbitrary<T>(), rc::gen::elementOf(edges));
  }
};

template <class T>
requires std::floating_point<T>
struct Random<T> {
  static T key() {
    using Limits = std::numeric_limits<T>;
    using Bits = typename detail::OrderedField<T>::Bits;
    const std::vector<T> edges = {0,
                                  -T{0},
                                  1,
                                  -1,
                                  Limits::min(),
                                  Limits::denorm_min(),
                                  -Limits::denorm_min(),
                                  Limits::max(),
                                  Limits::lowest(),
                                  Limits::infinity(),
                                  -Limits::infinity()};
    const T edge = *rc::gen::elementOf(edges);
    const T any = std::bit_cast<T>(*rc::gen::arbitrary<Bits>());
    return std::isnan(any) || *rc::gen::arbitrary<bool>() ? edge : any;
  }
};

template <class T>
requires(detail::is_text_field<T>) struct Random<T> {
  static T key() {
    const Bytes bytes = random_bytes();
    return detail::text_field<T>(ByteView(bytes).first(std::min<std::size_t>(bytes.size(), 6)));
  }
};

template <class... Fields>
struct Random<std::tuple<Fields...>> {
  static std::tuple<Fields...> key() { return {random_key<Fields>()...}; }
};

template <class First, class Second>
struct Random<std::pair<First, Second>> {
  static std::pair<First, Second> key() { return {random_key<First>(), random_key<Second>()}; }
};

template <class K>
class OrderedCodecLaw : public ::testing::Test {};

using Keys = ::testing::Types<std::uint8_t, std::uint64_t, std::int8_t, std::int16_t, std::int64_t, float, double,
                              std::string, Bytes, std::pair<std::string, std::string>,
                              std::tuple<Bytes, std::int32_t, double, std::pair<std::string, std::uint8_t>>>;
TYPED_TEST_SUITE(OrderedCodecLaw, Keys, );

TYPED_TEST(OrderedCodecLaw, ByteOrderIsValueOrder) {
  check_property([] {
    const auto a = random_key<TypeParam>();
    const auto b = random_key<TypeParam>();
    const auto order = compare(encoded(a), encoded(b));
    RC_ASSERT((a < b) == (order < 0));
    RC_ASSERT((b < a) == (order > 0));
    RC_ASSERT((a == b) == (order == 0));
  });
}

TYPED_TEST(OrderedCodecLaw, EveryKeyReadsBackExactly) {
  check_property([] {
    const auto key = random_key<TypeParam>();
    RC_ASSERT(OrderedCodec<TypeParam>().decode(encoded(key)) == key);
  });
}

TYPED_TEST(OrderedCodecLaw, RandomBytesAreRefusedOrTheOneEncodingOfAKey) {
  check_property([] {
    const Bytes bytes = random_bytes();
    try {
      RC_ASSERT(encoded(OrderedCodec<TypeParam>().decode(bytes)) == bytes);
    } catch (const CodecError&) {  // refused, as it may be
    }
  });
}

TYPED_TEST(OrderedCodecLaw, ADamagedKeyIsRefusedOrTheOneEncodingOfAnother) {
  check_property([] {
    Bytes bytes = encoded(random_key<TypeParam>());
    RC_PRE(!bytes.empty());
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = static_cast<std::byte>(*rc::gen::inRange(0, 256));
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 2));
    try {
      RC_ASSERT(encoded(OrderedCodec<TypeParam>().decode(bytes)) == bytes);
    } catch (const CodecError&) {  // refused, as it may be
    }
  });
}

TEST(OrderedCodec, TheBytesAreThoseOfTheFormat) {
  EXPECT_EQ(hex(std::uint16_t{258}), "0102");
  EXPECT_EQ(hex(std::int16_t{-1}), "7fff");
  EXPECT_EQ(hex(std::int16_t{0}), "8000");
  EXPECT_EQ(hex(std::int64_t{1}), "8000000000000001");
  EXPECT_EQ(hex(1.0), "bff0000000000000");
  EXPECT_EQ(hex(-1.0), "400fffffffffffff");
  EXPECT_EQ(hex(0.0), "8000000000000000");
  EXPECT_EQ(hex(-0.0), "8000000000000000");
  EXPECT_EQ(hex(1.0F), "bf800000");
  EXPECT_EQ(hex(std::string("a\0", 2)), "6100");
  EXPECT_EQ(hex(std::tuple(std::string("a\0", 2))), "6100ff0001");
  EXPECT_EQ(hex(std::tuple(std::string("a"), std::uint8_t{7})), "61000107");
  EXPECT_EQ(hex(std::pair(Bytes{std::byte{0}}, std::pair(std::string(), std::int8_t{-1}))), "00ff000100017f");
  EXPECT_EQ(hex(std::tuple<>()), "");
}

TEST(OrderedCodec, NanIsNoKeyAndLeavesTheOutputAsItWas) {
  Bytes out = to_bytes("kept");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(OrderedCodec<double>().encode(nan, out), CodecError);
  EXPECT_THROW((OrderedCodec<std::pair<std::string, double>>().encode({"written first", -nan}, out)), CodecError);
  EXPECT_EQ(as_text(out), "kept");
  EXPECT_THROW(static_cast<void>(OrderedCodec<double>().decode(*from_hex("fff8000000000000"))), CodecError);
  EXPECT_THROW(static_cast<void>(OrderedCodec<float>().decode(*from_hex("00000000"))), CodecError);
}

TEST(OrderedCodec, BytesThatNoKeyEncodesToAreRefusedWhereTheyStand) {
  using Pair = std::pair<std::string, std::uint8_t>;
  const std::vector<std::pair<const char*, std::uint64_t>> broken = {{"", 0},       {"61", 1},     {"6100", 1},
                                                                     {"610002", 3}, {"610001", 3}, {"6100010708", 4}};
  for (const auto& [bytes, offset] : broken) {
    try {
      static_cast<void>(OrderedCodec<Pair>().decode(*from_hex(bytes)));
      ADD_FAILURE() << bytes << " was decoded";
    } catch (const CodecError& error) {
      EXPECT_EQ(error.facts().offset_bytes, offset) << bytes << ": " << error.what();
      EXPECT_EQ(error.facts().codec, "ordered");
    }
  }
}

}  // namespace
}  // namespace holdfast
