#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace holdfast::testing {

/// The seed of this run's random tests: HOLDFAST_TEST_SEED, or a random one. Printed, so that any run can be replayed.
[[nodiscard]] inline std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("HOLDFAST_TEST_SEED");
    std::random_device device;
    const std::uint64_t chosen = given != nullptr ? std::stoull(given) : (std::uint64_t{device()} << 32U) | device();
    std::cout << "HOLDFAST_TEST_SEED=" << chosen << (given != nullptr ? " (given)" : " (random)") << std::endl;
    return chosen;
  }();
  return seed;
}

}  // namespace holdfast::testing
