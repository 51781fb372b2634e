#include "holdfast/tier/append_log.hpp"

#include "tier/array_log.hpp"
#include "tier/entry_log.hpp"
#include "tier/names.hpp"

namespace holdfast::detail {

namespace {

LogCore& log_of(TierCore& core) {
  return static_cast<LogCore&>(core);  // the constructor below makes nothing else
}

}  // namespace

AppendLogTierBase::AppendLogTierBase(const TierHome& home, std::string name, Cadence cadence, LogShape shape) {
  check_tier_name(name);
  if (name.ends_with("/b")) {
    throw OptionError(
        {.option = "name", .problem = "must not end in \"/b\": its entries would be a bucket of another"});
  }
  if (shape.form == LogForm::array) {
    start(std::make_shared<ArrayLogCore>(unit_of(home), std::move(name), cadence, shape));
  } else {
    start(std::make_shared<EntryLogCore>(unit_of(home), std::move(name), cadence, shape.entropy));
  }
}

void AppendLogTierBase::accept(std::vector<RawLogEntry> entries) {
  Pending fresh;
  fresh.accepted = entries.size();
  fresh.appends.reserve(entries.size());
  for (RawLogEntry& entry : entries) {
    log_of(core()).check(entry);
    fresh.appends.push_back({.bucket = std::move(entry.bucket), .value = std::move(entry.value)});
  }
  core().accept(std::move(fresh));
}

std::unique_ptr<LogCursor> AppendLogTierBase::scan_raw(const LogScanOptions& options) const {
  return log_of(core()).scan(options);
}

std::uint64_t AppendLogTierBase::last_sequence() const {
  return log_of(core()).last_sequence();
}

void AppendLogTierBase::truncate_before(std::uint64_t sequence) {
  log_of(core()).truncate_before(sequence);
}

}  // namespace holdfast::detail
