#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>
#include <utility>

#include "holdfast/core/bytes.hpp"
#include "support/seed.hpp"

namespace holdfast::testing {

/// Checks `property` in many random cases, from this run's seed.
template <class Property>
void check_property(Property&& property) {
  rc::detail::TestParams params;
  params.seed = test_seed();
  params.maxSuccess = 300;
  const auto result = rc::detail::checkTestable(std::forward<Property>(property), rc::detail::TestMetadata(), params);
  if (result.template is<rc::detail::SuccessResult>()) return;
  std::ostringstream report;
  rc::detail::printResultMessage(result, report);
  ADD_FAILURE() << report.str();
}

/// Up to a hundred bytes, mostly those that formats treat specially.
inline Bytes random_bytes() {
  const auto octets = *rc::gen::container<std::vector<int>>(
      rc::gen::oneOf(rc::gen::element(0x00, 0x01, 0x02, 0x61, 0xFE, 0xFF), rc::gen::inRange(0, 256)));
  Bytes bytes;
  for (const int octet : octets) bytes.push_back(static_cast<std::byte>(octet));
  return bytes;
}

}  // namespace holdfast::testing
