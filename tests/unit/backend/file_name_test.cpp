#include "backend/file_name.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/bytes.hpp"
#include "support/seed.hpp"

namespace holdfast {
namespace {

using file_name::HiddenNames;

Json golden() {
  std::ifstream file(std::string(HOLDFAST_GOLDEN_DIR) + "/file-keys.json");
  return parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST(FileName, GoldenKeysEncodeToTheirNamesAndBack) {
  const Json vectors = golden().at("keys");
  ASSERT_GT(vectors.size(), 20U);
  for (const Json& vector : vectors) {
    const auto key = vector.at("key").get<std::string>();
    const auto name = vector.at("filename").get<std::string>();
    EXPECT_EQ(file_name::encode(key), name);
    EXPECT_EQ(file_name::decode(name, HiddenNames::no_keys), key);
  }
}

TEST(FileName, GoldenNamesDecodeToTheKeysTheyList) {
  const Json vectors = golden().at("decode");
  ASSERT_GT(vectors.size(), 10U);
  for (const Json& vector : vectors) {
    const auto name = vector.at("filename").get<std::string>();
    const auto key = file_name::decode(name, HiddenNames::no_keys);
    const auto lists = vector.at("lists").get<std::vector<std::string>>();
    EXPECT_EQ(key, lists.empty() ? std::nullopt : std::optional(lists.front())) << name;
  }
}

TEST(FileName, TheEmptyKeyIsTheSuffixAlone) {
  EXPECT_EQ(file_name::encode(""), ".bin");
  EXPECT_EQ(file_name::decode(".bin", HiddenNames::no_keys), "");
}

TEST(FileName, EscapesThatAreNoneStandForThemselves) {
  EXPECT_EQ(file_name::decode("%.bin", HiddenNames::no_keys), "%");
  EXPECT_EQ(file_name::decode("%4.bin", HiddenNames::no_keys), "%4");
  EXPECT_EQ(file_name::decode("%%%41.bin", HiddenNames::no_keys), "%%A");
  EXPECT_EQ(file_name::decode("%g1.bin", HiddenNames::no_keys), "%g1");
}

TEST(FileName, RawBytesBeyondAsciiAreNoKey) {
  EXPECT_EQ(file_name::decode("caf\xC3\xA9.bin", HiddenNames::keys), std::nullopt);
  EXPECT_EQ(file_name::decode("%ed%a0%80.bin", HiddenNames::keys), std::nullopt) << "a surrogate";
}

TEST(FileName, HiddenNamesAreKeysOnlyWhenAskedForAndOursNever) {
  EXPECT_EQ(file_name::decode(".secret.bin", HiddenNames::no_keys), std::nullopt);
  EXPECT_EQ(file_name::decode(".secret.bin", HiddenNames::keys), ".secret");
  EXPECT_EQ(file_name::decode(".secret", HiddenNames::keys), std::nullopt);
  EXPECT_EQ(file_name::decode(".holdfast-x.bin", HiddenNames::keys), std::nullopt);
}

TEST(FileName, OnlyTemporaryNamesAreSwept) {
  EXPECT_TRUE(file_name::is_temporary(".holdfast-tmp-1"));
  EXPECT_TRUE(file_name::is_temporary(".holdfast-anything.bin"));
  for (const auto name : {file_name::journal, file_name::lock, std::string_view("holdfast-tmp-1.bin"),
                          std::string_view(".bin"), std::string_view(".holdfast")}) {
    EXPECT_FALSE(file_name::is_temporary(name)) << name;
  }
}

TEST(FileName, EveryUtf8KeyComesBackAndNoTwoShareAName) {
  std::mt19937_64 random(testing::test_seed());
  const std::vector<std::string> pieces = {"a",
                                           "Z",
                                           "0",
                                           "_",
                                           "-",
                                           ".",
                                           "/",
                                           "%",
                                           " ",
                                           "\\",
                                           ":",
                                           "~",
                                           "4",
                                           "1",
                                           std::string(1, '\0'),
                                           "\n",
                                           "\x7F",
                                           "\xC3\xA9",
                                           "\xF0\x9F\x91\x8B"};
  std::map<std::string, std::string> keys_by_name;
  for (int round = 0; round < 20'000; ++round) {
    std::string key;
    for (std::size_t length = random() % 6; length > 0; --length) key += pieces[random() % pieces.size()];
    const std::string name = file_name::encode(key);
    EXPECT_EQ(file_name::decode(name, HiddenNames::no_keys), key);
    EXPECT_EQ(keys_by_name.emplace(name, key).first->second, key);
    EXPECT_EQ(name.find('/'), std::string::npos);
  }
}

}  // namespace
}  // namespace holdfast
