#include "holdfast/db/salvage.hpp"

#include <algorithm>
#include <utility>

#include "db/check_file.hpp"
#include "db/known_seals.hpp"
#include "db/new_place.hpp"
#include "db/sole_store.hpp"
#include "db/store_check.hpp"
#include "db/store_writer.hpp"
#include "db/tree_reader.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t unseen_changes = std::uint64_t{1} << 32;  // more than can be on pages that cannot be read

/// Copies what verifies, after a check has told what does not.
class Salvage {
 public:
  Salvage(const detail::PageSnapshot& snapshot, const detail::StoreCheck& found, detail::StoreWriter& writer,
          const CheckOptions& options)
      : snapshot_(snapshot), found_(found), writer_(writer), options_(options), lost_names_(found.trees()) {
    catalogue_.change = found.meta().catalogue.change;
    catalogue_.next_table_id = found.meta().catalogue.next_table_id;
    catalogue_.tree_count = found.meta().catalogue.tree_count;
    if (found.meta().store) {
      id_ = found.meta().store->id;
    } else {
      system_entropy()->fill(id_);
    }
  }

  void run(SalvageReport& report) {
    lost_names_.erase(detail::meta_table_name);
    lost_names_.erase(detail::expiry_table_name);  // made anew, of what is copied
    const bool had_feed = lost_names_.erase(detail::feed_table_name) > 0;
    writer_.begin_tree(detail::backend_table_name);
    if (const auto backend = lost_names_.extract(std::string(detail::backend_table_name)))
      copy({.shown_name = backend.key(), .tree = backend.mapped()});
    for (const auto& [name, record] : found_.meta().catalogue.tables) copy_table(name, record, report);
    for (const auto& [name, tree] : lost_names_) copy_nameless(name, tree);
    if (had_feed || is_fed()) begin_feed();
    writer_.write_meta(id_, catalogue_);
    writer_.finish();
    report.tables = catalogue_.tables.size();
    report.entries = entries_;
  }

 private:
  /// What was lost is in no feed: so nobody may follow from before, and no number that was given is given again.
  void begin_feed() {
    const std::uint64_t begun_after = found_.meta().catalogue.feed_begun_after.value_or(0);
    const std::uint64_t last = std::max(found_.last_change(), begun_after);
    catalogue_.feed_begun_after = std::min(last + unseen_changes, detail::last_sequence);
  }

  [[nodiscard]] bool is_fed() const {
    return std::ranges::any_of(catalogue_.tables, [](const auto& table) { return table.second.is_fed(); });
  }

  void copy_table(const std::string& name, const detail::TableRecord& record, SalvageReport& report) {
    const auto tree = lost_names_.extract(detail::lmdb_name(record.tree));
    detail::TreeSource source{.shown_name = name, .store = id_, .table_id = record.id, .flags = record.flags};
    if (tree) source.tree = tree.mapped();
    if (!record.seal.empty()) {
      source.seal = detail::find_seal(record.seal, options_.seals);
      if (!found_.meta().store) {
        report.found.findings.push_back(
            {.table = name, .want = "the store's id, to verify its values with", .got = "none that can be read"});
        source.tree = {};
      }
    }
    add_table(name, record);
    copy(source);
  }

  /// A tree that the catalogue should know: its record was lost, its entries were not.
  void copy_nameless(const std::string& name, const detail::Tree& tree) {
    if (tree.root == detail::no_page) return;
    const auto name_of = [](std::uint64_t number) { return "recovered." + std::to_string(number); };
    std::uint64_t id = catalogue_.next_table_id;
    while (catalogue_.tables.contains(name_of(id))) ++id;
    add_table(name_of(id), {.id = id, .tree = catalogue_.tree_count + 1});
    copy({.shown_name = name, .tree = tree});
  }

  void add_table(const std::string& name, const detail::TableRecord& record) {
    catalogue_.tables.emplace(name, record);
    catalogue_.next_table_id = std::max(catalogue_.next_table_id, record.id + 1);
    catalogue_.tree_count = std::max(catalogue_.tree_count, record.tree);
    writer_.begin_table(record);
  }

  void copy(const detail::TreeSource& source) {
    detail::TreeReader reader(
        snapshot_, source, found_.contested(),
        [&](const detail::TreeEntry& entry) {
          writer_.append(entry.stored_key, entry.stored_value);
          ++entries_;
        },
        [](const CheckFinding&) {});  // the check has told
    while (reader.step()) {
    }
  }

  const detail::PageSnapshot& snapshot_;
  const detail::StoreCheck& found_;
  detail::StoreWriter& writer_;
  const CheckOptions& options_;
  std::map<std::string, detail::Tree, std::less<>> lost_names_;
  StoreId id_{};
  detail::Catalogue catalogue_;
  std::uint64_t entries_ = 0;
};

}  // namespace

SalvageReport salvage(const std::filesystem::path& damaged, const std::filesystem::path& fresh,
                      const CheckOptions& options) {
  const auto ops = system_file_ops();
  const detail::SoleStore store(damaged, ops);
  std::vector<CheckFinding> judged = detail::judge_to_findings(store.data());
  const auto metas = detail::sound_meta_pages(store.data());
  if (metas.empty())
    throw CorruptionError({.where = store.data().path().string(), .want = "a meta page to go by", .got = "none"});
  const detail::PageSnapshot snapshot{.data = &store.data(), .meta = metas.front()};
  detail::NewPlace place(fresh, ops, *system_entropy());

  detail::StoreCheck check(snapshot, options);
  for (CheckFinding& finding : judged) check.add(std::move(finding));
  SalvageReport report;
  report.found.outcome = detail::run_check(check, snapshot, options.work);
  if (report.found.outcome == Outcome::stopped) return report;
  report.found = check.report();
  {
    detail::StoreWriter writer(place.data());
    Salvage(snapshot, check, writer, options).run(report);
  }
  place.publish_store();
  return report;
}

}  // namespace holdfast
