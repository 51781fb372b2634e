#include "side_by_side/workload.hpp"

#include <stdexcept>

namespace holdfast::bench {

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all = [] {
    std::vector<Workload> joined;
    for (const auto& part : {load_workloads(), read_workloads(), open_workloads(), write_workloads()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

const Workload& workload(const std::string& name) {
  for (const auto& known : workloads()) {
    if (known.name == name) return known;
  }
  throw std::invalid_argument("there is no workload of this name: " + name);
}

}  // namespace holdfast::bench
