// The small seams: clock, entropy, borrowed callables, limits.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/clock.hpp"
#include "holdfast/core/entropy.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {
namespace {

TEST(SystemClock, IsOneObjectWhoseSteadyTimeNeverGoesBack) {
  const auto clock = system_clock();
  EXPECT_EQ(clock, system_clock());
  auto last = clock->steady_now();
  for (int i = 0; i < 1000; ++i) {
    const auto now = clock->steady_now();
    EXPECT_GE(now, last);
    last = now;
  }
  const auto before = std::chrono::system_clock::now() - std::chrono::hours(1);
  const auto after = std::chrono::system_clock::now() + std::chrono::hours(1);
  EXPECT_GT(clock->now(), before);
  EXPECT_LT(clock->now(), after);
}

TEST(SystemEntropy, FillsAllOfTheBufferAndNothingElseAndNeverTwiceTheSame) {
  const auto entropy = system_entropy();
  EXPECT_EQ(entropy, system_entropy());
  Bytes long_one(1'000'000);  // more than one system call gives at once
  entropy->fill(std::span(long_one).subspan(1, long_one.size() - 2));
  EXPECT_EQ(long_one.front(), std::byte{0});
  EXPECT_EQ(long_one.back(), std::byte{0});
  for (std::size_t at = 1; at + 33 < long_one.size(); at += 100'000) {
    EXPECT_FALSE(equal(ByteView(long_one).subspan(at, 32), Bytes(32))) << at;
  }
  std::array<std::byte, 32> a{};
  std::array<std::byte, 32> b{};
  entropy->fill(a);
  entropy->fill(b);
  EXPECT_NE(a, b);
  entropy->fill({});
}

int twice(int x) {
  return 2 * x;
}
int call(FunctionRef<int(int)> function, int x) {
  return function(x);
}

TEST(FunctionRef, CallsWhatItBorrowsWithoutCopyingIt) {
  int calls = 0;
  auto counted = [&calls, owned = std::make_unique<int>(1)](int x) mutable {  // cannot be copied
    ++*owned;
    ++calls;
    return x + *owned;
  };
  EXPECT_EQ(call(counted, 10), 12);
  EXPECT_EQ(call(counted, 10), 13);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(call(twice, 21), 42);
  EXPECT_EQ(call([](int x) { return x; }, 7), 7);
  const auto constant = [](int) { return 5; };
  EXPECT_EQ(call(constant, 0), 5);
}

TEST(FunctionRef, ForwardsArgumentsAndDiscardsResultsForVoid) {
  const auto take = [](FunctionRef<std::string(std::unique_ptr<int>, std::string&)> function, std::string& text) {
    return function(std::make_unique<int>(3), text);
  };
  std::string text = "a";
  EXPECT_EQ(take(
                [](std::unique_ptr<int> number, std::string& changed) {
                  changed += std::to_string(*number);
                  return changed + "!";
                },
                text),
            "a3!");
  EXPECT_EQ(text, "a3");
  const FunctionRef<void(int)> discards = twice;
  discards(1);
}

TEST(FunctionRef, LetsExceptionsPass) {
  EXPECT_THROW(call([](int) -> int { throw std::string("mine"); }, 0), std::string);
}

static_assert(limits::max_key_bytes == 511 && limits::max_value_bytes == 4294967295 && limits::max_json_depth == 128 &&
              limits::max_file_name_bytes == 255);

}  // namespace
}  // namespace holdfast
