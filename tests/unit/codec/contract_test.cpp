#include <limits>
#include <tuple>

#include "holdfast/codec/json.hpp"
#include "holdfast/codec/ordered.hpp"
#include "holdfast/codec/raw.hpp"
#include "holdfast/testing/codec_contract.hpp"

namespace holdfast::testing {
namespace {

struct NothingRefused {
  static std::vector<Bytes> undecodable() { return {}; }
};

struct JsonSubject {
  using Value = Json;
  static JsonCodec<Json> codec() { return {}; }
  static std::vector<Json> values() {
    return {nullptr,
            false,
            0,
            -1,
            0.1,
            1e300,
            std::numeric_limits<std::uint64_t>::max(),
            "",
            "é👋\n\0",
            Json::array(),
            Json::object(),
            {{"a", {1, 2.5, {{"b", nullptr}}}}, {"\U0001F600", "\\"}, {"\uE000", 1}}};
  }
  static std::vector<Json> unencodable() {
    return {std::numeric_limits<double>::infinity(), Json::binary({}), {{"deep", {"inside", "\xff"}}}};
  }
  static std::vector<Bytes> undecodable() {
    return {{}, to_bytes("nul"), to_bytes("1 2"), to_bytes("{\"a\":1,\"a\":1}"), to_bytes("\"\xff\""), to_bytes("NaN")};
  }
};

struct Event {
  std::string kind{};
  std::vector<double> samples{};
  bool operator==(const Event&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Event, kind, samples)

struct StructureAsJsonSubject {
  using Value = Event;
  static JsonCodec<Event> codec() { return {}; }
  static std::vector<Event> values() { return {{}, {"start", {0.5, 2, -1e-9}}}; }
  static std::vector<Event> unencodable() {
    return {{"nan", {std::numeric_limits<double>::quiet_NaN()}}, {"\xff", {}}};
  }
  static std::vector<Bytes> undecodable() { return {to_bytes("{}"), to_bytes("[]"), to_bytes(R"({"kind":1})")}; }
};

struct RawBytesSubject : NothingRefused {
  using Value = Bytes;
  static RawCodec<Bytes> codec() { return {}; }
  static std::vector<Bytes> values() { return {{}, Bytes(3), to_bytes("\xff\x80")}; }
  static std::vector<Bytes> unencodable() { return {}; }
};

struct RawTextSubject : NothingRefused {
  using Value = std::string;
  static RawCodec<std::string> codec() { return {}; }
  static std::vector<std::string> values() { return {"", std::string(2, '\0'), "\xff"}; }
  static std::vector<std::string> unencodable() { return {}; }
};

template <class T>
struct RawIntegerSubject {
  using Value = T;
  static RawCodec<T> codec() { return {}; }
  static std::vector<T> values() { return {0, 1, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()}; }
  static std::vector<T> unencodable() { return {}; }
  static std::vector<Bytes> undecodable() { return {{}, Bytes(sizeof(T) - 1), Bytes(sizeof(T) + 1)}; }
};

using Key = std::tuple<std::string, double, std::pair<Bytes, std::int16_t>>;

struct OrderedKeySubject {
  using Value = Key;
  static OrderedCodec<Key> codec() { return {}; }
  static std::vector<Key> values() {
    return {{"", 0.0, {{}, 0}}, {std::string("a\0b\0", 4), -1e-300, {to_bytes("\xff\x01"), -32768}}};
  }
  static std::vector<Key> unencodable() { return {{"a", std::numeric_limits<double>::quiet_NaN(), {{}, 0}}}; }
  static std::vector<Bytes> undecodable() {
    return {{},
            to_bytes("a"),
            Bytes(2),
            *from_hex("0001"),
            *from_hex("0001ffffffffffffffff00018000"),
            *from_hex("00017fffffffffffffff00018000"),
            *from_hex("00028000000000000000"
                      "00018000"),
            *from_hex("00018000000000000000"
                      "0001800000")};
  }
};

using Subjects = ::testing::Types<JsonSubject, StructureAsJsonSubject, RawBytesSubject, RawTextSubject,
                                  RawIntegerSubject<std::uint8_t>, RawIntegerSubject<std::int64_t>, OrderedKeySubject>;
INSTANTIATE_TYPED_TEST_SUITE_P(Shipped, CodecContract, Subjects, );

}  // namespace
}  // namespace holdfast::testing
