#include "db/own_copy.hpp"

#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

template <class Leaf>
bool copy_if(const std::exception& error, std::exception_ptr& copy) {
  const auto* const leaf = dynamic_cast<const Leaf*>(&error);
  if (leaf != nullptr) copy = std::make_exception_ptr(*leaf);
  return leaf != nullptr;
}

}  // namespace

std::exception_ptr own_copy(const std::exception_ptr& failure) {
  std::exception_ptr copy = failure;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    static_cast<void>(copy_if<IoError>(error, copy) || copy_if<LimitError>(error, copy) ||
                      copy_if<StateError>(error, copy) || copy_if<CorruptionError>(error, copy));
  } catch (...) {
    // Not one of ours: shared as it is.
  }
  return copy;
}

}  // namespace holdfast::detail
