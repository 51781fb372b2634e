#include "holdfast/core/sha256.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast {
namespace {

// FIPS 180-4 examples and NIST's byte-oriented short messages.
const std::vector<std::pair<std::string, std::string>>& vectors() {
  static const std::vector<std::pair<std::string, std::string>> known = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrst"
       "u",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
  return known;
}

TEST(Sha256, TheKnownDigestsAreComputed) {
  for (const auto& [text, digest] : vectors()) {
    EXPECT_EQ(to_hex(sha256(as_bytes(text))), digest);
    EXPECT_EQ(to_hex(Sha256().update(as_bytes(text)).finish()), digest);
  }
}

TEST(Sha256, AMillionTimesTheLetterA) {
  constexpr std::string_view digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  EXPECT_EQ(to_hex(sha256(as_bytes(std::string(1'000'000, 'a')))), digest);
  Sha256 hash;
  const std::string thousand(1000, 'a');
  for (int i = 0; i < 1000; ++i) hash.update(as_bytes(thousand));
  EXPECT_EQ(to_hex(hash.finish()), digest);
}

TEST(Sha256, HowTheBytesArePiecedTogetherDoesNotMatter) {
  std::string text;
  for (int i = 0; i < 300; ++i) text.push_back(static_cast<char>(i));
  const Digest whole = sha256(as_bytes(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 hash;
    hash.update(as_bytes(text).first(cut)).update({}).update(as_bytes(text).subspan(cut));
    ASSERT_EQ(hash.finish(), whole) << cut;
  }
}

TEST(Sha256, AFinishedHashStartsAnewAndAMovedOneGoesOn) {
  Sha256 hash;
  hash.update(as_bytes("something else"));
  static_cast<void>(hash.finish());
  hash.update(as_bytes("a"));
  Sha256 moved(std::move(hash));
  moved.update(as_bytes("bc"));
  EXPECT_EQ(moved.finish(), sha256(as_bytes("abc")));
}

TEST(Sha256, ThreadsDoNotDisturbEachOther) {
  const auto work = [] {
    for (int i = 0; i < 200; ++i) {
      for (const auto& [text, digest] : vectors()) ASSERT_EQ(to_hex(sha256(as_bytes(text))), digest);
    }
  };
  std::thread other(work);
  work();
  other.join();
}

/// Hashes when the program ends: static objects outlive what is thread_local.
struct HashesLast {
  explicit HashesLast(Digest hash) : expected(hash) {}
  ~HashesLast() { std::_Exit(sha256(as_bytes("abc")) == expected ? 0 : 1); }
  HashesLast(const HashesLast&) = delete;
  HashesLast& operator=(const HashesLast&) = delete;
  Digest expected;
};

TEST(Sha256, IsTakenByDestructorsOfStaticObjectsToo) {
  const auto end = [] {
    static const HashesLast last(sha256(as_bytes("abc")));
    std::exit(2);
  };
  EXPECT_EXIT(end(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace holdfast
