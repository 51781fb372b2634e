#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/core/bytes.hpp"

namespace holdfast {

/// What a snapshot shows instead of the files: the values, as they were, of keys changed since. Null: it was absent.
using KeptValues = std::map<std::string, std::shared_ptr<const Bytes>, std::less<>>;

/// The snapshots somebody still holds. A key's value is kept for them when it is first changed.
/// Threads: none of its own; what guards the files guards this too.
class LivingSnapshots {
 public:
  /// A snapshot of now; shared with the one before when nothing was kept since. O(1), amortised.
  [[nodiscard]] std::shared_ptr<const KeptValues> take() {
    while (!living_.empty() && living_.back().expired()) living_.pop_back();
    auto newest = living_.empty() ? nullptr : living_.back().lock();
    if (newest && newest->empty()) return newest;
    newest = std::make_shared<KeptValues>();
    living_.push_back(newest);
    return newest;
  }

  /// Keeps for all who lack it what `read_old()` returns; it is called only if there is somebody.
  template <class ReadOld>
  void keep(std::string_view key, ReadOld read_old) {
    std::erase_if(living_, [](const auto& snapshot) { return snapshot.expired(); });
    std::shared_ptr<const Bytes> old;
    bool read = false;
    for (const auto& weak : living_) {
      const auto snapshot = weak.lock();
      if (!snapshot || snapshot->contains(key)) continue;
      if (!std::exchange(read, true)) old = read_old();
      snapshot->emplace(key, old);
    }
  }

 private:
  std::vector<std::weak_ptr<KeptValues>> living_;
};

}  // namespace holdfast
