#include <fcntl.h>

#include "core/file_io.hpp"
#include "db_fixture.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/db/salvage.hpp"
#include "holdfast/seal/checksum.hpp"
#include "stored_file.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::StoredFile;

/// A small store whose one table is sealed. Every byte of it is changed in turn.
class SealedSweep : public testing::DbTest {
 protected:
  void SetUp() override {
    const auto db = open();
    const ByteTable table = sealed(*db);
    db->update([&](WriteTransaction& txn) {
      for (int i = 0; i < 60; ++i) {
        const std::string key = "key " + std::to_string(100 + i);
        expected_[key] = std::string(20, 'v') + std::to_string(i);
        table.put(txn, as_bytes(key), as_bytes(expected_[key]));
      }
      expected_["big"] = std::string(5'000, 'b');
      table.put(txn, as_bytes("big"), as_bytes(expected_["big"]));
    });
    // The same again: should a changed meta page lead to the commit before, that says the same.
    for (int i = 0; i < 2; ++i)
      db->update([&](WriteTransaction& txn) { table.put(txn, as_bytes("big"), as_bytes(expected_["big"])); });
  }
  static ByteTable sealed(const Database& db) { return db.table("sealed", {.seal = std::make_shared<ChecksumSeal>()}); }
  [[nodiscard]] fs::path data() const { return path() / "data.mdb"; }

  [[nodiscard]] bool check_says_sound() const {
    try {
      return check(path()).is_sound();
    } catch (const StateError&) {
      return false;  // not a store of ours any more: reported
    }
  }
  /// What reading all of it gives: "" when every value is there and right.
  [[nodiscard]] std::string wrong_reads(std::string_view name = "store") const {
    const auto db = open(name);
    const ByteTable table = sealed(*db);
    const ReadTransaction txn = db->begin_read();
    for (const auto& [key, value] : expected_) {
      const auto got = table.get(txn, as_bytes(key));
      if (!got) return key + " is missed";
      if (as_text(*got) != value) return key + " is wrong";
    }
    return content(table, txn) == expected_ ? "" : "the scan is wrong";
  }

  Content expected_;
};

constexpr char flip_of(std::uint64_t at) {
  return static_cast<char>(1U << (at * 5 % 8));
}

TEST_F(SealedSweep, WhereCheckFindsNothingEveryReadIsRight) {
  const StoredFile sound(data());
  constexpr std::size_t batch = 128;  // of bytes that say nothing, read together and, if that fails, one by one
  std::vector<std::uint64_t> harmless;
  std::size_t reported = 0;
  const auto read_with = [&](const std::vector<std::uint64_t>& flipped) {
    StoredFile changed = sound;
    for (const std::uint64_t at : flipped) changed.content()[at] ^= flip_of(at);
    changed.store();
    try {
      return wrong_reads();
    } catch (const Error& error) {
      return std::string(error.what());  // an error is no wrong answer, but check should have told
    }
  };
  const auto judge_batch = [&] {
    const bool together = read_with(harmless).empty();
    for (const std::uint64_t at : harmless) {
      const std::string wrong = together ? "" : read_with({at});
      EXPECT_EQ(wrong, "") << "page " << at / 4096 << ", byte " << at % 4096;
    }
    harmless.clear();
    sound.store();
  };
  File file(system_file_ops(), data(), O_RDWR);
  for (std::uint64_t at = 0; at < sound.page_count() * 4096; ++at) {
    const auto original = static_cast<std::byte>(sound.page(at / 4096)[at % 4096]);
    const std::byte flipped = original ^ static_cast<std::byte>(flip_of(at));
    file.write_at(ByteView(&flipped, 1), at);
    const bool is_sound = check_says_sound();
    file.write_at(ByteView(&original, 1), at);
    if (is_sound) harmless.push_back(at);
    reported += is_sound ? 0 : 1;
    if (harmless.size() == batch) judge_batch();
  }
  judge_batch();
  EXPECT_GT(reported, 5'000U);
}

TEST_F(SealedSweep, WhatSalvageCopiesIsRightWhateverByteWasChanged) {
  const StoredFile sound(data());
  std::size_t whole = 0;
  std::size_t rounds = 0;
  for (std::uint64_t at = 0; at < sound.page_count() * 4096; at += 197) {
    StoredFile changed = sound;
    changed.content()[at] ^= flip_of(at);
    changed.store();
    fs::remove_all(path("fresh"));
    ++rounds;
    try {
      const SalvageReport report = salvage(path(), path("fresh"));
      const auto db = open("fresh");
      EXPECT_TRUE(db->check().is_sound()) << at;
      const ReadTransaction txn = db->begin_read();
      const Content found = content(db->table("sealed", {.seal = std::make_shared<ChecksumSeal>()}), txn);
      for (const auto& [key, value] : found) {
        ASSERT_TRUE(expected_.contains(key)) << at;
        EXPECT_EQ(value, expected_[key]) << at;
      }
      EXPECT_TRUE(found.size() == expected_.size() || report.found.is_damaged()) << at;
      if (found.size() == expected_.size()) ++whole;
    } catch (const CorruptionError&) {
    } catch (const StateError&) {  // no store of ours, or no meta page to go by
    }
    EXPECT_EQ(StoredFile(data()).content(), changed.content()) << "salvage changed the original";
  }
  EXPECT_GT(whole, rounds / 4);
  EXPECT_LT(whole, rounds);
}

}  // namespace
}  // namespace holdfast
