#include "holdfast/tier/kv.hpp"

#include <exception>

#include "tier/map_core.hpp"

namespace holdfast::detail {

KeySource::KeySource(Scan scan, std::size_t prefix_bytes)
    : scan_(std::make_unique<Scan>(std::move(scan))), prefix_bytes_(prefix_bytes) {}

std::optional<std::string> KeySource::next() {
  if (at_) {
    ++*at_;
  } else {
    at_ = scan_->begin();
  }
  if (*at_ == std::default_sentinel) return std::nullopt;
  return (*at_)->key.substr(prefix_bytes_);
}

KvTierBase::KvTierBase(const TierHome& home, std::string prefix, Cadence cadence) {
  start(std::make_shared<MapCore>(unit_of(home), std::move(prefix), cadence));
}

std::string KvTierBase::full_key(std::string_view key) const {
  return name() + std::string(key);
}

void KvTierBase::accept(std::string_view key, Bytes value) {
  std::string full = full_key(key);
  core().check_key(full);
  core().check_value(value);
  Pending fresh;
  fresh.accepted = 1;
  fresh.writes.emplace(std::move(full), Pending::Write{.value = std::move(value)});
  core().accept(std::move(fresh));
}

bool KvTierBase::erase(std::string_view key) {
  std::string full = full_key(key);
  if (core().unit().alone()) return core().unit().erase_now(core(), full);
  core().check_key(full);
  bool stored = false;
  std::exception_ptr unanswered;
  try {
    stored = backend()->view(full, [](ByteView) {});
  } catch (const CorruptionError&) {
    stored = true;  // something is, and it is to go
  } catch (const Error&) {
    unanswered = std::current_exception();  // the erasure is accepted all the same: what is not refused, waits
  }
  Pending fresh;
  fresh.accepted = 1;
  fresh.writes.emplace(std::move(full), Pending::Write{});
  core().accept(std::move(fresh));
  if (unanswered) std::rethrow_exception(unanswered);
  return stored;
}

KvTierBase::Keys KvTierBase::keys(std::string_view prefix) const {
  return Keys(KeySource(backend()->keys(full_key(prefix)), name().size()));
}

}  // namespace holdfast::detail
