#include "holdfast/db/backup.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "db/backup_file.hpp"
#include "db/check_file.hpp"
#include "db/new_place.hpp"
#include "db/page_copy.hpp"
#include "db/pinned_snapshot.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast {
namespace {

/// All of a backup, piece by piece.
BackupReport write_backup(const detail::PageSnapshot& snapshot, const LongWork& work,
                          FunctionRef<void(ByteView)> write) {
  BackupReport report{.transaction = snapshot.meta.transaction};
  detail::PageCopy pages(snapshot);
  detail::BackupSeal seal;
  const auto take = [&](ByteView piece) {
    seal.add(piece);
    write(piece);
    report.bytes += piece.size();
  };
  while (pages.next(take)) {
    if (work.on_progress) work.on_progress({.done = pages.pages_done(), .total = 2 * snapshot.page_count()});
    if (!work.stop.stop_requested()) continue;
    report.outcome = Outcome::stopped;
    return report;
  }
  const Bytes end = seal.finish(snapshot.page_count());
  write(end);
  report.bytes += end.size();
  return report;
}

/// The digest and every page, read back.
CheckReport check_whole(const detail::BackupFile& backup, const CheckOptions& options) {
  const Outcome read = backup.read({.stop = options.work.stop}, [](ByteView) {});
  if (read == Outcome::stopped) return {.outcome = read};
  return detail::check_file(backup.file(), options);
}

CheckOptions later(const CheckOptions& options, std::uint64_t pages_before) {
  CheckOptions part = options;
  part.work = detail::later_part(options.work, pages_before);
  return part;
}

}  // namespace

BackupReport backup(const Database& db, const std::filesystem::path& path, const CheckOptions& options) {
  const auto& environment = db.environment();
  environment->require_sound();
  detail::NewPlace place(path, environment->ops(), *db.options().entropy);
  File out(environment->ops(), place.data(), O_RDWR | O_CREAT | O_EXCL);
  BackupReport report;
  std::uint64_t pages = 0;
  {
    const detail::PinnedSnapshot pinned(environment);
    pages = pinned.pages().page_count();
    std::uint64_t at = 0;
    report = write_backup(pinned.pages(), options.work, [&](ByteView piece) {
      // Runs of free pages stay holes.
      if (std::ranges::any_of(piece, [](std::byte b) { return b != std::byte{0}; })) out.write_at(piece, at);
      at += piece.size();
    });
  }
  if (report.outcome == Outcome::stopped) return report;
  const detail::BackupFile written(std::move(out));
  const CheckReport found = check_whole(written, later(options, pages));
  report.outcome = found.outcome;
  if (report.outcome == Outcome::stopped) return report;
  detail::require_undamaged(found, written.file());
  place.publish_file();
  return report;
}

BackupReport backup(const Database& db, const std::function<void(ByteView)>& write, const CheckOptions& options) {
  const auto& environment = db.environment();
  environment->require_sound();
  const detail::PinnedSnapshot pinned(environment);
  const CheckReport found = detail::check_snapshot(pinned.pages(), {}, options);
  if (found.outcome == Outcome::stopped) return {.outcome = found.outcome};
  detail::require_undamaged(found, environment->data());
  return write_backup(pinned.pages(), detail::later_part(options.work, pinned.pages().page_count()), write);
}

CheckReport check_backup(const std::filesystem::path& path, const CheckOptions& options) {
  return check_whole(detail::BackupFile(path, system_file_ops()), options);
}

BackupReport restore(const std::filesystem::path& backup, const std::filesystem::path& path,
                     const CheckOptions& options) {
  const auto ops = system_file_ops();
  const detail::BackupFile source(backup, ops);
  detail::NewPlace place(path, ops, *system_entropy());
  BackupReport report{.bytes = source.pages_bytes()};
  File out(ops, place.data(), O_RDWR | O_CREAT | O_EXCL);
  report.outcome = source.read(options.work, [&, at = std::uint64_t{0}](ByteView piece) mutable {
    out.write_at(piece, at);
    at += piece.size();
  });
  if (report.outcome == Outcome::stopped) return report;
  const CheckReport found = detail::check_file(out, options);
  report.outcome = found.outcome;
  if (report.outcome == Outcome::stopped) return report;
  detail::require_undamaged(found, out);
  report.transaction = detail::read_meta_pages(out).current().transaction;
  out.close();
  place.publish_store();
  return report;
}

}  // namespace holdfast
