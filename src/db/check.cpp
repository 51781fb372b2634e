#include "holdfast/db/check.hpp"

#include <algorithm>
#include <utility>

#include "core/printable.hpp"
#include "db/judgement.hpp"
#include "db/pinned_snapshot.hpp"
#include "db/sole_store.hpp"
#include "db/store_check.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast {
namespace {

/// What opening the store would say to it.
std::vector<CheckFinding> judged(const File& data) {
  try {
    detail::judge(data);
    return {};
  } catch (const CorruptionError& error) {
    return {{.want = error.facts().where + ": " + error.facts().want, .got = error.facts().got}};
  }
}

CheckReport check_pages(const detail::PageSnapshot& snapshot, std::vector<CheckFinding> judged,
                        const CheckOptions& options) {
  detail::StoreCheck check(snapshot, options);
  for (CheckFinding& finding : judged) check.add(std::move(finding));
  const Outcome outcome = detail::run_check(check, snapshot, options.work);
  CheckReport report = check.take_report();
  report.outcome = outcome;
  return report;
}

}  // namespace

std::string CheckFinding::describe() const {
  std::string text = kind == FindingKind::damage ? "damage" : "lost space";
  if (!table.empty()) text += ", " + table;
  if (page) text += ", page " + std::to_string(*page);
  if (key) text += ", key " + printable(as_text(*key));
  return text + ": " + want + " expected, " + got + " found";
}

bool CheckReport::is_damaged() const noexcept {
  return more_findings > 0 ||
         std::ranges::any_of(findings, [](const CheckFinding& finding) { return finding.kind == FindingKind::damage; });
}

CheckReport Database::check(const CheckOptions& options) const {
  environment_->require_sound();
  const detail::PinnedSnapshot pinned(environment_);
  return check_pages(pinned.pages(), judged(environment_->data()), options);
}

CheckReport Database::check_part(CheckCursor& cursor, std::uint64_t page_budget, const CheckOptions& options) const {
  environment_->require_sound();
  const detail::PinnedSnapshot pinned(environment_);
  detail::StoreCheck check(pinned.pages(), options, cursor);
  while (check.step()) {
    if (check.moved() && check.report().pages_visited >= page_budget) break;
    if (!options.work.stop.stop_requested()) continue;
    CheckReport stopped = check.take_report();
    stopped.outcome = Outcome::stopped;
    return stopped;
  }
  return check.take_report();
}

CheckReport check(const std::filesystem::path& path, const CheckOptions& options) {
  const detail::SoleStore store(path, system_file_ops());
  std::vector<CheckFinding> findings = judged(store.data());
  const auto metas = detail::sound_meta_pages(store.data());
  if (metas.empty()) return {.findings = std::move(findings)};
  return check_pages({.data = &store.data(), .meta = metas.front()}, std::move(findings), options);
}

}  // namespace holdfast
