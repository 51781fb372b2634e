#include "db/pinned_snapshot.hpp"

#include <lmdb.h>

#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr int attempts = 1000;

}  // namespace

PinnedSnapshot::PinnedSnapshot(const std::shared_ptr<Environment>& environment) {
  pages_.data = &environment->data();
  for (int attempt = 0; attempt < attempts; ++attempt) {
    pin_ = std::make_unique<ReadBase>(environment, environment->options());
    const MetaPages metas = read_meta_pages(*pages_.data);
    // The meta page of a transaction stays until the second commit after it: rarely is it gone already.
    for (const MetaPage& meta : metas.pages) {
      if (meta.transaction != mdb_txn_id(pin_->raw())) continue;
      pages_.meta = meta;
      return;
    }
  }
  throw StateError({.state = State::in_use,
                    .where = environment->path().string(),
                    .problem = "its writers commit faster than a snapshot can be pinned"});
}

}  // namespace holdfast::detail
