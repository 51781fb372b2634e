#pragma once

#include "tier/tier_core.hpp"

namespace holdfast::detail {

/// A tier whose pending writes are puts and erases of keys: kv and snapshot.
class MapCore final : public TierCore {
 public:
  using TierCore::TierCore;

 private:
  void assemble(std::uint64_t attempt, WriteBatch& batch) override {
    for (auto& [key, write] : in_flight().writes) {
      if (write.first_attempt == 0) write.first_attempt = attempt;
      if (write.value) {
        batch.put(key, ByteView(*write.value));
      } else {
        batch.erase(key);
      }
    }
  }
};

}  // namespace holdfast::detail
