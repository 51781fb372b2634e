#include "holdfast/db/check.hpp"

#include <algorithm>

#include "core/printable.hpp"
#include "db/check_file.hpp"
#include "db/pinned_snapshot.hpp"
#include "db/sole_store.hpp"
#include "db/store_check.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast {

std::string CheckFinding::where() const {
  std::string text = table.empty() ? "store" : table;
  if (page) text += ", page " + std::to_string(*page);
  if (key) text += ", key " + printable(as_text(*key));
  return text;
}

std::string CheckFinding::describe() const {
  return (kind == FindingKind::damage ? "damage in " : "lost space in ") + where() + ": " + want + " expected, " + got +
         " found";
}

bool CheckReport::is_damaged() const noexcept {
  return more_findings > 0 ||
         std::ranges::any_of(findings, [](const CheckFinding& finding) { return finding.kind == FindingKind::damage; });
}

CheckReport Database::check(const CheckOptions& options) const {
  environment_->require_sound();
  const detail::PinnedSnapshot pinned(environment_);
  return detail::check_snapshot(pinned.pages(), detail::judge_to_findings(environment_->data()), options);
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
  return detail::check_file(store.data(), options);
}

}  // namespace holdfast
