#include <fcntl.h>

#include <utility>

#include "db/check_file.hpp"
#include "db/known_seals.hpp"
#include "db/new_place.hpp"
#include "db/pinned_snapshot.hpp"
#include "db/store_contents.hpp"
#include "db/store_writer.hpp"
#include "holdfast/db/backup.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast {
namespace {

/// Whether all of it was copied.
bool copy_trees(const detail::PageSnapshot& snapshot, detail::StoreWriter& writer, const LongWork& work) {
  const detail::StoreContents contents = detail::read_contents(snapshot);
  std::uint64_t pages = 0;
  for (const auto& [name, tree] : contents.trees) {
    const detail::TreeSource source{.shown_name = name, .tree = tree};
    writer.begin_tree(name);
    const std::set<std::uint64_t> none;
    detail::TreeReader reader(
        snapshot, source, none,
        [&](const detail::TreeEntry& entry) { writer.append(entry.stored_key, entry.stored_value); },
        [&](const CheckFinding& finding) { detail::throw_finding(snapshot, finding); });
    std::uint64_t before = 0;
    while (reader.step()) {
      if (work.stop.stop_requested()) return false;
      pages += reader.pages() - std::exchange(before, reader.pages());
      if (work.on_progress) work.on_progress({.done = pages, .total = 2 * snapshot.page_count()});
    }
  }
  writer.finish();
  return true;
}

}  // namespace

BackupReport compact_to(const Database& db, const std::filesystem::path& path, const CheckOptions& options) {
  const auto& environment = db.environment();
  environment->require_sound();
  detail::NewPlace place(path, environment->ops(), *db.options().entropy);
  BackupReport report;
  std::uint64_t pages = 0;
  {
    const detail::PinnedSnapshot pinned(environment);
    pages = pinned.pages().page_count();
    detail::StoreWriter writer(place.data());
    if (!copy_trees(pinned.pages(), writer, options.work)) return {.outcome = Outcome::stopped};
  }
  const File written(environment->ops(), place.data(), O_RDONLY);
  CheckOptions last_part = options;
  last_part.work = detail::later_part(options.work, pages);
  const CheckReport found = detail::check_file(written, last_part);
  if (found.outcome == Outcome::stopped) return {.outcome = found.outcome};
  detail::require_undamaged(found, written);
  report.bytes = written.status().size_bytes;
  report.transaction = detail::read_meta_pages(written).current().transaction;
  place.publish_store();
  return report;
}

}  // namespace holdfast
