#include "tier_fixture.hpp"

#include "holdfast/backend/file.hpp"
#ifdef HOLDFAST_WITH_LMDB
#include "holdfast/backend/lmdb.hpp"
#endif

namespace holdfast::testing {

void TierTest::open() {
  switch (GetParam()) {
    case StoreKind::memory:
      if (!inner_) inner_ = std::make_shared<MemoryBackend>();
      break;
    case StoreKind::file:
      inner_ = std::make_shared<FileBackend>(
          FileOptions{.root = directory_.path() / "files", .durability = Durability::unsynced});
      break;
    case StoreKind::lmdb:
#ifdef HOLDFAST_WITH_LMDB
      inner_ = std::make_shared<LmdbBackend>(
          LmdbOptions{.path = directory_.path() / "store", .durability = Durability::unsynced});
#endif
      break;
  }
  faulty_ = std::make_shared<FaultyBackend>(inner_);
}

void TierTest::restart() {
  faulty_.reset();
  if (GetParam() != StoreKind::memory) inner_.reset();
  open();
}

std::vector<StoreKind> store_kinds() {
  std::vector<StoreKind> kinds{StoreKind::memory, StoreKind::file};
#ifdef HOLDFAST_WITH_LMDB
  kinds.push_back(StoreKind::lmdb);
#endif
  return kinds;
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
