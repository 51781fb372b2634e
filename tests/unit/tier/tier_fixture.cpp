#include "tier_fixture.hpp"

namespace holdfast::testing {

void TierTest::open() {
  switch (GetParam()) {
    case StoreKind::memory:
      if (!inner_) inner_ = std::make_shared<MemoryBackend>();
      break;
    case StoreKind::file:
    case StoreKind::lmdb: break;
  }
  faulty_ = std::make_shared<FaultyBackend>(inner_);
}

void TierTest::restart() {
  faulty_.reset();
  if (GetParam() != StoreKind::memory) inner_.reset();
  open();
}

std::vector<StoreKind> store_kinds() {
  return {StoreKind::memory};
}

std::string store_name(const ::testing::TestParamInfo<StoreKind>& info) {
  switch (info.param) {
    case StoreKind::memory: return "Memory";
    case StoreKind::file: return "File";
    case StoreKind::lmdb: return "Lmdb";
  }
  return "Unknown";
}

}  // namespace holdfast::testing
