#include "holdfast/wal/frame.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/wal/verify.hpp"

namespace holdfast {
namespace {

const Json& vectors() {
  static const Json golden = [] {
    std::ifstream file(std::string(HOLDFAST_GOLDEN_DIR) + "/wal-frames.json", std::ios::binary);
    return parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
  }();
  return golden;
}

/// The frame that the fields of a vector make, read by nothing of the code under test but the JSON reader.
WalFrame frame_from_fields(const Json& fields) {
  const Json& change = fields["change"];
  WalFrame frame{.lifecycle = lifecycle_named(fields["lifecycle"].get<std::string>()).value(),
                 .path = fields["path"],
                 .change = {.structure = change["structure"],
                            .t_ns = change["t_ns"],
                            .lifecycle = lifecycle_named(change["lifecycle"].get<std::string>()).value(),
                            .payload = change["change"]},
                 .frame_seq = fields["frame_seq"],
                 .frame_t_ns = fields["frame_t_ns"],
                 .format_version = fields["format_version"]};
  if (change["version"].is_string()) {
    frame.change.version = change["version"].get<std::string>();
  } else {
    frame.change.version = change["version"].get<std::uint64_t>();
  }
  if (change.contains("seq")) frame.change.seq = change["seq"].get<std::uint64_t>();
  return frame;
}

std::string stored_minimal() {
  return to_text(encode_frame({.path = "p", .change = {.structure = "s", .payload = 0}}));
}

/// `body` with its checksum in front of its last brace: a stored frame of a writer that orders keys its own way.
std::string with_checksum(std::string body) {
  const std::string checksum = to_hex(sha256(as_bytes(body)));
  body.insert(body.size() - 1, ",\"checksum\":\"" + checksum + "\"");
  return body;
}

std::string body_with_payload(const std::string& payload) {
  return R"({"t":"c","lifecycle":"data","path":"p","change":{"structure":"s","version":0,"t_ns":1779999999123456789,)"
         R"("lifecycle":"data","change":)" +
         payload + R"(},"frame_seq":1,"frame_t_ns":1779999999123456789})";
}

TEST(WalFrame, GoldenFramesAreReproducedFromTheirFieldsByteForByte) {
  ASSERT_GE(vectors()["frames"].size(), 16U);
  for (const Json& vector : vectors()["frames"]) {
    const std::string stored = vector["stored_text"];
    const WalFrame frame = frame_from_fields(parse_json(stored));
    EXPECT_EQ(to_text(encode_frame(frame)), stored) << vector["name"];
    EXPECT_EQ(to_hex(encode_frame(frame)), vector["stored_utf8_hex"]) << vector["name"];
    EXPECT_EQ(to_hex(frame_checksum(frame)), vector["checksum"]) << vector["name"];
    EXPECT_EQ(frame_key("g", frame.frame_seq), vector["key"]) << vector["name"];
    if (frame.format_version == 1) {
      EXPECT_EQ(decode_frame(as_bytes(stored)), frame) << vector["name"];
    } else {
      EXPECT_EQ(verify_frame(stored).fault, FrameFault::newer_format);
      EXPECT_THROW((void)decode_frame(as_bytes(stored)), StateError);
    }
  }
}

TEST(WalFrame, TamperedFramesAreJudgedAsListed) {
  ASSERT_FALSE(vectors()["tamper"].empty());
  for (const Json& vector : vectors()["tamper"]) {
    const FrameFault fault = verify_frame(canonical_text(vector["frame"])).fault;
    const bool verifies = fault == FrameFault::none || fault == FrameFault::newer_format;
    EXPECT_EQ(verifies, vector["verifies"].get<bool>()) << vector["name"];
  }
}

TEST(WalFrame, BodiesOfOtherWritersVerifyAsTheyStand) {
  for (const Json& vector : vectors()["rust_style"]) {
    std::string stored = vector["body"];
    stored.insert(stored.size() - 1, ",\"checksum\":\"" + vector["sha256_of_body"].get<std::string>() + "\"");
    EXPECT_TRUE(verify_frame(stored).sound()) << stored;
    EXPECT_EQ(verify_frame(stored).frame.frame_t_ns, 1779999999123456789U);
  }
  for (const char* payload : {"1.0", "1e21", "-0.0", "[1.50,{\"z\":1,\"a\":2}]", "\"\\u0041\""}) {
    const std::string stored = with_checksum(body_with_payload(payload));
    EXPECT_TRUE(verify_frame(stored).sound()) << stored;
    EXPECT_EQ(decode_frame(as_bytes(stored)).change.payload, parse_json(payload));
  }
}

TEST(WalFrame, WhatTheWriterOfTextAppendsIsWhatTheFieldsEncodeTo) {
  const Digest previous = sha256(as_bytes("before"));
  for (const char* path : {"", "a::b", "caf\xC3\xA9 \"quoted\"\\", "\xF0\x9F\x91\x8B"}) {
    Bytes out;
    const FrameSeal seal = append_frame({.lifecycle = Lifecycle::spec,
                                         .path = path,
                                         .structure = "graph.spec",
                                         .payload = R"({"kind":"x"})",
                                         .t_ns = 12,
                                         .frame_seq = std::numeric_limits<std::uint64_t>::max()},
                                        previous, out);
    const WalFrame frame{.lifecycle = Lifecycle::spec,
                         .path = path,
                         .change = {.structure = "graph.spec",
                                    .version = std::uint64_t{1},
                                    .t_ns = 12,
                                    .lifecycle = Lifecycle::spec,
                                    .payload = {{"kind", "x"}}},
                         .frame_seq = std::numeric_limits<std::uint64_t>::max(),
                         .frame_t_ns = 12,
                         .chain = seal.chain};
    EXPECT_EQ(to_text(out), to_text(encode_frame(frame)));
    EXPECT_EQ(seal.checksum, frame_checksum(frame));
    EXPECT_EQ(seal.chain, next_chain(previous, seal.checksum));
    EXPECT_EQ(decode_frame(out), frame);
  }
}

TEST(WalFrame, KeysAreInNumericOrder) {
  const std::vector<std::uint64_t> numbers = {0, 1, 10, 100, 1'000'000, std::numeric_limits<std::uint64_t>::max()};
  std::vector<std::string> keys;
  for (const auto number : numbers) {
    keys.push_back(frame_key("g", number));
    EXPECT_EQ(parse_sequence_digits(sequence_digits(number)), number);
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(keys.back(), "g/wal/18446744073709551615");
  EXPECT_EQ(parse_sequence_digits("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_sequence_digits("1"), std::nullopt);
  EXPECT_EQ(parse_sequence_digits("0000000000000000000x"), std::nullopt);
  EXPECT_EQ(parse_sequence_digits("-0000000000000000001"), std::nullopt);
}

TEST(WalFrame, ForeignTagIsRefused) {
  const std::string stored = with_checksum(
      R"({"t":"r","lifecycle":"data","path":"p","change":{"structure":"s"},"frame_seq":1,"frame_t_ns":1})");
  EXPECT_EQ(verify_frame(stored).fault, FrameFault::foreign);
}

TEST(WalFrame, AbsentFormatVersionMeansOne) {
  const FrameCheck check = verify_frame(with_checksum(body_with_payload("1")));
  ASSERT_TRUE(check.sound());
  EXPECT_EQ(check.frame.format_version, 1U);
}

TEST(WalFrame, DepthTwoHundredIsRefusedWithoutRecursion) {
  for (const std::size_t depth : {200U, 2'000'000U}) {
    const std::string deep = std::string(depth, '[') + std::string(depth, ']');
    EXPECT_EQ(verify_frame(with_checksum(body_with_payload(deep))).fault, FrameFault::malformed);
    EXPECT_EQ(verify_frame(deep).fault, FrameFault::malformed);
  }
  Json deep = 1;
  for (int i = 0; i < 200; ++i) deep = Json::array({std::move(deep)});
  EXPECT_THROW((void)encode_frame({.change = {.payload = std::move(deep)}}), CodecError);
}

TEST(WalFrame, EveryTruncationIsMalformed) {
  const std::string stored = stored_minimal();
  for (std::size_t size = 0; size < stored.size(); ++size) {
    EXPECT_EQ(verify_frame(std::string_view(stored).substr(0, size)).fault, FrameFault::malformed) << size;
  }
  EXPECT_TRUE(verify_frame(stored).sound());
  EXPECT_FALSE(verify_frame(stored + " ").sound());
}

TEST(WalFrame, WhiteSpaceDuplicatesAndEscapedNamesAreRefused) {
  const std::string stored = stored_minimal();
  for (std::size_t at = 0; at <= stored.size(); ++at) {
    if (std::count(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(at), '"') % 2 == 1) continue;
    std::string spaced = stored;
    spaced.insert(at, " ");
    EXPECT_FALSE(verify_frame(spaced).sound()) << spaced;
  }
  const auto with_member = [&](const std::string& member) {
    return stored.substr(0, stored.size() - 1) + member + "}";
  };
  EXPECT_TRUE(verify_frame(with_member(",\"extra\":[1,{}]")).sound());
  EXPECT_FALSE(verify_frame(with_member(",\"extra\":1,\"extra\":1")).sound());
  EXPECT_FALSE(verify_frame(with_member(",\"path\":\"q\"")).sound());
  EXPECT_FALSE(verify_frame(with_member(",\"p\\u0061th\":\"q\"")).sound());
  EXPECT_FALSE(verify_frame(with_member(",\"extra\":[1}")).sound());
  EXPECT_FALSE(verify_frame(with_member(",\"extra\":")).sound());
}

TEST(WalFrame, EveryFlippedBitIsDetectedOrOutsideTheHash) {
  const WalFrame frame{.path = "p", .change = {.structure = "s", .payload = {{"v", 1}}}, .chain = Digest{}};
  const std::string stored = to_text(encode_frame(frame));
  const FrameCheck sound = verify_frame(stored);
  ASSERT_TRUE(sound.sound());
  for (std::size_t at = 0; at < stored.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = stored;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
      const FrameCheck check = verify_frame(flipped);
      if (!check.sound()) continue;
      // Only the members that are not hashed: chain, which the frame before judges, and a name nobody knows any more.
      const std::size_t chain_end = stored.find(",\"change\"");
      const std::size_t version_at = stored.find("\"format_version\"");
      EXPECT_TRUE(at < chain_end || (at > version_at && at < version_at + 19)) << flipped;
      EXPECT_EQ(check.frame.checksum, sound.frame.checksum);
    }
  }
}

TEST(WalFrame, ReplayIsInTotalOrderOfSequenceWhateverTheLifecycle) {
  const WalFrame first{.lifecycle = Lifecycle::ownership, .frame_seq = 1};
  const WalFrame second{.lifecycle = Lifecycle::spec, .frame_seq = 2};
  EXPECT_TRUE(replay_order(first, second));
  EXPECT_FALSE(replay_order(second, first));
  EXPECT_FALSE(replay_order(first, first));
}

TEST(WalFrame, AChangeWithAMemberMissingOrTwiceIsNone) {
  const std::string whole = R"({"structure":"s","version":0,"t_ns":1,"lifecycle":"data","change":1})";
  EXPECT_TRUE(view_change(whole));
  for (const char* name : {"structure", "version", "t_ns", "lifecycle", "change"}) {
    Json fields = parse_json(whole);
    fields.erase(name);
    EXPECT_FALSE(view_change(canonical_text(fields))) << name;
  }
  EXPECT_FALSE(view_change(R"({"structure":"s","version":0,"t_ns":1,"lifecycle":"data","change":1,"change":2})"));
  EXPECT_FALSE(view_change(R"({"structure":"s","version":0,"t_ns":1,"lifecycle":"data","change":1,"seq":"x"})"));
}

}  // namespace
}  // namespace holdfast
