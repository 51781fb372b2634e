#pragma once

#include <string>
#include <vector>

/// Programs run as processes of their own: no workload leaves threads, caches or memory to the next.
namespace holdfast::bench {

struct ChildResult {
  int exit_code = 0;
  std::string output{};  ///< what it wrote to standard output; standard error goes to ours
};

/// Runs arguments[0], found in PATH. Throws std::system_error when it cannot be started.
ChildResult run_child(const std::vector<std::string>& arguments);

/// The path of the running program.
[[nodiscard]] std::string own_path();

}  // namespace holdfast::bench
