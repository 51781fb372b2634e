#pragma once

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "holdfast/codec/codec.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::testing {

/// The laws of a codec (codec/codec.hpp) as a GoogleTest suite; run it on your own. A subject says what to test:
///
///   struct PointSubject {
///     using Value = Point;                           // comparable by ==
///     static JsonCodec<Point> codec();               // the codec under test
///     static std::vector<Value> values();            // some of what it encodes, the extremes included
///     static std::vector<Value> unencodable();       // what it must refuse to encode; may be empty
///     static std::vector<Bytes> undecodable();       // what it must refuse to decode; may be empty
///   };
///   INSTANTIATE_TYPED_TEST_SUITE_P(Point, CodecContract, ::testing::Types<PointSubject>, );
template <class Subject>
class CodecContract : public ::testing::Test {
 protected:
  using Value = typename Subject::Value;
  using Codec = decltype(Subject::codec());
  static_assert(CodecFor<Codec, Value>);

  [[nodiscard]] Bytes encoded(const Value& value) const {
    Bytes out;
    codec_.encode(value, out);
    return out;
  }

  /// Decodes bytes that nobody wrote: a CodecError, or a value for which the laws hold.
  void expect_refused_or_lawful(ByteView bytes) const {
    try {
      const Value value = codec_.decode(bytes);
      EXPECT_TRUE(codec_.decode(encoded(value)) == value) << to_hex(bytes);
    } catch (const CodecError&) {  // refused, as it may be
    }
  }

  const Codec codec_ = Subject::codec();
};

TYPED_TEST_SUITE_P(CodecContract);

TYPED_TEST_P(CodecContract, DecodeGivesBackWhatEncodeWasGiven) {
  for (const auto& value : TypeParam::values()) {
    const Bytes bytes = this->encoded(value);
    EXPECT_TRUE(this->codec_.decode(bytes) == value) << to_hex(bytes);
    EXPECT_EQ(this->encoded(value), bytes) << "the same value, other bytes";
    EXPECT_TRUE(this->codec_.decode(this->encoded(this->codec_.decode(bytes))) == value) << to_hex(bytes);
  }
}

TYPED_TEST_P(CodecContract, EncodeAppendsAndLeavesWhatWasThere) {
  for (const auto& value : TypeParam::values()) {
    Bytes want = to_bytes("before");
    append(want, ByteView(this->encoded(value)));
    Bytes out = to_bytes("before");
    this->codec_.encode(value, out);
    EXPECT_EQ(out, want);
  }
}

TYPED_TEST_P(CodecContract, ARefusedValueLeavesTheOutputAsItWas) {
  for (const auto& value : TypeParam::unencodable()) {
    Bytes out = to_bytes("before");
    EXPECT_THROW(this->codec_.encode(value, out), CodecError);
    EXPECT_EQ(as_text(out), "before");
  }
}

TYPED_TEST_P(CodecContract, ForeignBytesAreRefused) {
  for (const Bytes& bytes : TypeParam::undecodable()) {
    EXPECT_THROW(static_cast<void>(this->codec_.decode(bytes)), CodecError) << to_hex(bytes);
  }
}

TYPED_TEST_P(CodecContract, DamagedBytesAreRefusedOrReadAsALawfulValue) {
  for (const auto& value : TypeParam::values()) {
    Bytes bytes = this->encoded(value);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      this->expect_refused_or_lawful(ByteView(bytes).first(length));
    }
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const auto flip = std::byte{1} << (bit % 8);
      bytes[bit / 8] ^= flip;
      this->expect_refused_or_lawful(bytes);
      bytes[bit / 8] ^= flip;
    }
    bytes.push_back(std::byte{0});
    this->expect_refused_or_lawful(bytes);
  }
}

TYPED_TEST_P(CodecContract, NameAndVersionIdentifyTheLayout) {
  EXPECT_FALSE(std::string(this->codec_.name()).empty());
  EXPECT_GE(this->codec_.version(), 1U);
  const auto copy = this->codec_;
  EXPECT_EQ(copy.name(), this->codec_.name());
  EXPECT_EQ(copy.version(), this->codec_.version());
}

TYPED_TEST_P(CodecContract, OneCodecServesManyThreadsAtOnce) {
  const auto work = [this] {
    for (const auto& value : TypeParam::values()) EXPECT_TRUE(this->codec_.decode(this->encoded(value)) == value);
  };
  std::thread other(work);
  work();
  other.join();
}

REGISTER_TYPED_TEST_SUITE_P(CodecContract, DecodeGivesBackWhatEncodeWasGiven, EncodeAppendsAndLeavesWhatWasThere,
                            ARefusedValueLeavesTheOutputAsItWas, ForeignBytesAreRefused,
                            DamagedBytesAreRefusedOrReadAsALawfulValue, NameAndVersionIdentifyTheLayout,
                            OneCodecServesManyThreadsAtOnce);

}  // namespace holdfast::testing
