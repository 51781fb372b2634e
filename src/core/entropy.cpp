#include "holdfast/core/entropy.hpp"

#include <sys/random.h>

#include <cerrno>

#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t filled = ::getrandom(out.data(), out.size(), 0);
      if (filled < 0) {
        if (errno == EINTR) continue;
        throw IoError({.operation = "getrandom", .path = "the kernel's random source", .error_number = errno});
      }
      out = out.subspan(static_cast<std::size_t>(filled));
    }
  }
};

}  // namespace

std::shared_ptr<const Entropy> system_entropy() {
  static const auto entropy = std::make_shared<const SystemEntropy>();
  return entropy;
}

}  // namespace holdfast
