#include "db/check_file.hpp"

#include <algorithm>
#include <utility>

#include "db/judgement.hpp"
#include "db/store_check.hpp"
#include "db/tree_reader.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {

std::vector<CheckFinding> judge_to_findings(const File& data) {
  try {
    judge(data);
    return {};
  } catch (const CorruptionError& error) {
    return {{.want = error.facts().where + ": " + error.facts().want, .got = error.facts().got}};
  }
}

CheckReport check_snapshot(const PageSnapshot& snapshot, std::vector<CheckFinding> known, const CheckOptions& options) {
  StoreCheck check(snapshot, options);
  for (CheckFinding& finding : known) check.add(std::move(finding));
  const Outcome outcome = run_check(check, snapshot, options.work);
  CheckReport report = check.take_report();
  report.outcome = outcome;
  return report;
}

CheckReport check_file(const File& data, const CheckOptions& options) {
  std::vector<CheckFinding> findings = judge_to_findings(data);
  const auto metas = sound_meta_pages(data);
  if (metas.empty()) return {.findings = std::move(findings)};
  return check_snapshot({.data = &data, .meta = metas.front()}, std::move(findings), options);
}

void require_undamaged(const CheckReport& report, const File& data) {
  if (!report.is_damaged()) return;
  const auto found = std::ranges::find(report.findings, FindingKind::damage, &CheckFinding::kind);
  if (found == report.findings.end())
    throw CorruptionError({.where = data.path().string(),
                           .want = "a sound store",
                           .got = std::to_string(report.more_findings) + " findings"});
  throw CorruptionError(
      {.where = data.path().string() + ": " + found->where(), .want = found->want, .got = found->got});
}

LongWork later_part(const LongWork& work, std::uint64_t before) {
  if (!work.on_progress) return work;
  return {.on_progress =
              [&work, before](const Progress& progress) {
                work.on_progress({.done = before + progress.done, .total = before + progress.total});
              },
          .stop = work.stop};
}

}  // namespace holdfast::detail
