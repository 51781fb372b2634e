#pragma once

#include <exception>

namespace holdfast::detail {

/// The same failure as an object of its own: threads that catch it do not share it.
[[nodiscard]] std::exception_ptr own_copy(const std::exception_ptr& failure);

}  // namespace holdfast::detail
