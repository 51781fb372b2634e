#include "holdfast/backend/sealed.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/backend/memory.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/seal/checksum.hpp"
#include "support/faulty_backend.hpp"

namespace holdfast {
namespace {

using testing::FaultyBackend;

constexpr StoreId place_id{std::byte{1}};
constexpr StoreId other_place_id{std::byte{2}};

/// Never the same bytes twice: a checksum over the value and a running number, as an encrypting seal has a nonce.
class NumberedSeal final : public Seal {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "numbered"; }
  [[nodiscard]] std::size_t overhead_bytes() const noexcept override { return checksum_.overhead_bytes() + 1; }
  void seal(const Place& place, ByteView value, Bytes& out) const override {
    Bytes numbered = to_bytes(value);
    numbered.push_back(std::byte{++number_});
    checksum_.seal(place, numbered, out);
  }
  [[nodiscard]] ByteView open(const Place& place, ByteView sealed, Bytes& scratch) const override {
    const ByteView numbered = checksum_.open(place, sealed, scratch);
    return numbered.first(numbered.size() - 1);
  }

 private:
  ChecksumSeal checksum_;
  mutable unsigned char number_ = 0;
};

class SealedBackendTest : public ::testing::Test {
 protected:
  /// Flips one bit of the stored form of `key`.
  void flip(std::string_view key, std::size_t at) {
    Bytes stored = inner_->read(key).value();
    stored[at] ^= std::byte{0x10};
    inner_->write(key, stored);
  }

  std::shared_ptr<MemoryBackend> inner_ = std::make_shared<MemoryBackend>();
  std::shared_ptr<const Seal> seal_ = std::make_shared<ChecksumSeal>();
  SealedBackend backend_{inner_, seal_, place_id};
};

TEST_F(SealedBackendTest, KeysAreStoredAsTheyAreAndValuesSealedForTheirPlace) {
  backend_.write("key", as_bytes("value"));
  Bytes expected;
  seal_->seal({.store = place_id, .table = 0, .key = as_bytes("key")}, as_bytes("value"), expected);
  EXPECT_EQ(inner_->read("key"), expected);
  EXPECT_EQ(backend_.read("key"), to_bytes("value"));
}

TEST_F(SealedBackendTest, EveryFlippedByteIsACorruptionThatNamesTheKeyAndSparesItsNeighbours) {
  for (const char* key : {"a", "b", "c"}) backend_.write(key, as_bytes("value"));
  const Bytes sound = inner_->read("b").value();
  for (std::size_t at = 0; at < sound.size(); ++at) {
    flip("b", at);
    try {
      static_cast<void>(backend_.read("b"));
      FAIL() << "damage at byte " << at << " was not noticed";
    } catch (const CorruptionError& error) {
      EXPECT_NE(error.facts().where.find("memory"), std::string::npos);
      EXPECT_NE(error.facts().where.find("\"b\""), std::string::npos);
    }
    EXPECT_EQ(backend_.read("a"), to_bytes("value"));
    EXPECT_EQ(backend_.read("c"), to_bytes("value"));
    inner_->write("b", sound);
  }
}

TEST_F(SealedBackendTest, AStoredValueCutShortOrEmptyIsACorruption) {
  backend_.write("key", as_bytes("value"));
  const Bytes sound = inner_->read("key").value();
  for (std::size_t kept = 0; kept < sound.size(); ++kept) {
    inner_->write("key", ByteView(sound).first(kept));
    EXPECT_THROW(static_cast<void>(backend_.read("key")), CorruptionError) << kept;
  }
}

TEST_F(SealedBackendTest, AValueMovedToAnotherKeyOrPlaceDoesNotOpen) {
  backend_.write("from", as_bytes("value"));
  inner_->write("to", inner_->read("from").value());
  EXPECT_THROW(static_cast<void>(backend_.read("to")), CorruptionError);
  const SealedBackend elsewhere(inner_, seal_, other_place_id);
  EXPECT_THROW(static_cast<void>(elsewhere.read("from")), CorruptionError);
  EXPECT_EQ(backend_.read("from"), to_bytes("value"));
}

TEST_F(SealedBackendTest, AScanThrowsAtTheDamagedValueAgainAndAgainAndGoesOnBehindItOnlyAnew) {
  for (const char* key : {"a", "b", "c"}) backend_.write(key, as_bytes("value"));
  flip("b", 0);
  Scan scan = backend_.scan({});
  auto it = scan.begin();
  EXPECT_EQ(it->key, "a");
  EXPECT_THROW(++it, CorruptionError);
  EXPECT_THROW(++it, CorruptionError);
  std::vector<std::string> behind;
  for (const Entry& entry : backend_.scan({.after = "b"})) behind.push_back(entry.key);
  EXPECT_EQ(behind, std::vector<std::string>{"c"});
}

TEST_F(SealedBackendTest, ADamagedValueStaysAsItIsWhenAPreconditionMeetsIt) {
  backend_.write("key", as_bytes("value"));
  flip("key", 0);
  const Bytes damaged = inner_->read("key").value();
  EXPECT_THROW(backend_.apply(WriteBatch().require_value("key", as_bytes("value")).put("key", as_bytes("new"))),
               CorruptionError);
  EXPECT_EQ(inner_->read("key"), damaged);
}

TEST_F(SealedBackendTest, TheLargestValueIsSmallerByTheOverhead) {
  const auto small = std::make_shared<MemoryBackend>(MemoryOptions{.max_value_bytes = 100});
  SealedBackend backend(small, seal_, place_id);
  const std::size_t largest = 100 - seal_->overhead_bytes();
  EXPECT_EQ(backend.capabilities().max_value_bytes, largest);
  backend.write("key", Bytes(largest));
  EXPECT_EQ(backend.read("key"), Bytes(largest));
  EXPECT_EQ(small->read("key")->size(), 100U);
  EXPECT_THROW(backend.write("key", Bytes(largest + 1)), LimitError);

  const auto tiny = std::make_shared<MemoryBackend>(MemoryOptions{.max_value_bytes = 1});
  EXPECT_EQ(SealedBackend(tiny, seal_, place_id).capabilities().max_value_bytes, 0U);
}

TEST_F(SealedBackendTest, RequiredValuesAreComparedOpenedSoTheSealNeedNotBeDeterministic) {
  SealedBackend backend(inner_, std::make_shared<NumberedSeal>(), place_id);
  backend.write("key", as_bytes("1"));
  backend.apply(WriteBatch().require_value("key", as_bytes("1")).put("key", as_bytes("2")));
  EXPECT_EQ(backend.read("key"), to_bytes("2"));
  EXPECT_THROW(backend.apply(WriteBatch().require_value("key", as_bytes("1")).erase("key")), ConflictError);
}

/// The inner backend, and another writer who is quicker: it writes between our reading of "key" and our batch.
struct Race {
  std::shared_ptr<MemoryBackend> inner = std::make_shared<MemoryBackend>();
  std::shared_ptr<FaultyBackend> slow = std::make_shared<FaultyBackend>(inner);
  std::shared_ptr<const Seal> seal = std::make_shared<NumberedSeal>();
  SealedBackend backend{slow, seal, place_id};
  SealedBackend quicker{inner, seal, place_id};

  void before_the_next_batch_write(std::string_view value) {
    auto pending = std::make_shared<bool>(true);
    slow->fail_when([this, pending, value](const FaultyBackend::Call& call) {
      if (call.operation == FaultyBackend::Operation::apply && std::exchange(*pending, false)) {
        quicker.write("key", as_bytes(value));
      }
      return false;
    });
  }
};

TEST(SealedBackendRace, AValueReplacedByItsEqualStillHoldsItsPrecondition) {
  Race race;
  race.quicker.write("key", as_bytes("same"));
  race.before_the_next_batch_write("same");
  race.backend.apply(WriteBatch().require_value("key", as_bytes("same")).put("key", as_bytes("new")));
  EXPECT_EQ(race.backend.read("key"), to_bytes("new"));
}

TEST(SealedBackendRace, AValueReplacedByAnotherIsAConflict) {
  Race race;
  race.quicker.write("key", as_bytes("mine"));
  race.before_the_next_batch_write("theirs");
  EXPECT_THROW(race.backend.apply(WriteBatch().require_value("key", as_bytes("mine")).put("key", as_bytes("new"))),
               ConflictError);
  EXPECT_EQ(race.backend.read("key"), to_bytes("theirs"));
}

TEST(SealedBackendRace, AKeyThatAppearedIsAConflict) {
  Race race;
  race.before_the_next_batch_write("theirs");
  EXPECT_THROW(race.backend.apply(WriteBatch().require_absent("key").put("key", as_bytes("new"))), ConflictError);
  EXPECT_EQ(race.backend.read("key"), to_bytes("theirs"));
}

TEST_F(SealedBackendTest, NullPartsAreRefused) {
  EXPECT_THROW(SealedBackend(nullptr, seal_, place_id), OptionError);
  EXPECT_THROW(SealedBackend(inner_, nullptr, place_id), OptionError);
}

}  // namespace
}  // namespace holdfast
