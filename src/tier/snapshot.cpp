#include "holdfast/tier/snapshot.hpp"

#include "holdfast/core/limits.hpp"
#include "tier/map_core.hpp"
#include "tier/names.hpp"

namespace holdfast::detail {

namespace {

std::string latest_record(const std::string& name) {
  return name + "/latest";
}

}  // namespace

SnapshotTierBase::SnapshotTierBase(const TierHome& home, std::string name, Cadence cadence) {
  check_tier_name(name);
  start(std::make_shared<MapCore>(unit_of(home), std::move(name), cadence));
}

void SnapshotTierBase::accept(Bytes value) {
  core().check_key(name());
  core().check_value(value);
  Pending fresh;
  fresh.accepted = 1;
  fresh.replaces = true;
  fresh.writes.emplace(name(), Pending::Write{.value = std::move(value)});
  core().accept(std::move(fresh));
}

void SnapshotTierBase::accept_under(const std::string& key, Bytes value) {
  std::string latest = latest_record(name());
  if (key == latest) {
    throw ConflictError({.key = key, .problem = "key_of gave the key under which the tier keeps its latest key"});
  }
  core().check_key(key);
  core().check_key(latest);
  core().check_value(value);
  Pending fresh;
  fresh.accepted = 1;
  fresh.replaces = true;
  fresh.writes.emplace(key, Pending::Write{.value = std::move(value)});
  fresh.writes.emplace(std::move(latest), Pending::Write{.value = to_bytes(key)});
  core().accept(std::move(fresh));
}

std::optional<std::string> SnapshotTierBase::latest_key() const {
  const auto bytes = backend()->read(latest_record(name()));
  if (!bytes) return std::nullopt;
  return to_text(*bytes);
}

void SnapshotTierBase::throw_dangling(const std::string& key) const {
  throw CorruptionError({.where = latest_record(name()) + " in " + backend()->name(),
                         .want = "the key of a stored value",
                         .got = "\"" + key + "\", which holds nothing"});
}

}  // namespace holdfast::detail
