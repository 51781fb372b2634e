#include "backend/file_journal.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "holdfast/core/error.hpp"
#include "holdfast/core/sha256.hpp"

namespace holdfast {
namespace {

const FileChanges sample = {{"", to_bytes("empty key")}, {"a", std::nullopt}, {"b/c", to_bytes("")}};

/// What the bytes are without their digest, with a digest that fits.
Bytes sealed_again(Bytes stored) {
  const ByteView view = stored;
  const Digest digest = Sha256().update(view.first(32)).update(view.subspan(64)).finish();
  std::copy(digest.begin(), digest.end(), stored.begin() + 32);
  return stored;
}

TEST(FileJournal, ComesBackAsItWas) {
  for (const FileChanges& changes : {sample, FileChanges{}, FileChanges{{"k", Bytes(100'000, std::byte{7})}}}) {
    EXPECT_EQ(decode_journal(encode_journal(changes), "journal"), changes);
  }
}

TEST(FileJournal, VersionOneHasTheseBytes) {
  const std::string head = to_hex(to_bytes("holdfast journal")) + "01000000" + "03000000" + "3400000000000000";
  const std::string body =
      "01"
      "00000000"
      "0900000000000000" +
      to_hex(to_bytes("empty key")) +
      "02"
      "01000000"
      "0000000000000000" +
      to_hex(to_bytes("a")) +
      "01"
      "03000000"
      "0000000000000000" +
      to_hex(to_bytes("b/c"));
  const Bytes hashed = *from_hex(head + body);
  EXPECT_EQ(to_hex(encode_journal(sample)), head + to_hex(sha256(hashed)) + body);
}

TEST(FileJournal, EveryTruncationIsDamage) {
  const Bytes stored = encode_journal(sample);
  for (std::size_t size = 0; size < stored.size(); ++size) {
    EXPECT_THROW(static_cast<void>(decode_journal(ByteView(stored).first(size), "journal")), CorruptionError) << size;
  }
  Bytes longer = stored;
  longer.push_back(std::byte{0});
  EXPECT_THROW(static_cast<void>(decode_journal(longer, "journal")), CorruptionError);
}

TEST(FileJournal, EveryFlippedBitIsDamageOrALaterVersion) {
  const Bytes stored = encode_journal(sample);
  for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
    Bytes flipped = stored;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_THROW(static_cast<void>(decode_journal(flipped, "journal")), Error) << bit;
  }
}

TEST(FileJournal, ALaterVersionIsSaidToBeOne) {
  Bytes stored = encode_journal(sample);
  stored[16] = std::byte{2};
  try {
    static_cast<void>(decode_journal(sealed_again(stored), "journal"));
    FAIL() << "read as if it were known";
  } catch (const StateError& error) {
    EXPECT_EQ(error.facts().state, State::newer_format);
  }
}

TEST(FileJournal, EntriesThatDoNotFitAreDamageEvenUnderAGoodDigest) {
  const Bytes stored = encode_journal(sample);
  for (std::size_t at = 64; at < stored.size(); ++at) {
    for (const std::byte byte : {std::byte{0x00}, std::byte{0x03}, std::byte{0x7F}, std::byte{0xFF}}) {
      Bytes changed = stored;
      changed[at] = byte;
      try {  // some changes make another sound journal, none makes anything else
        const FileChanges read = decode_journal(sealed_again(changed), "journal");
        EXPECT_EQ(encode_journal(read), sealed_again(changed)) << at;
      } catch (const CorruptionError& error) {
        EXPECT_EQ(error.facts().where, "journal");
      }
    }
  }
}

}  // namespace
}  // namespace holdfast
