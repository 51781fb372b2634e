#include "db/store_check.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/printable.hpp"
#include "db/free_list.hpp"
#include "db/known_seals.hpp"
#include "db/stored_key.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint64_t pages_between_looks = 256;  // at the stop token and for progress

[[noreturn]] void throw_damage(std::string want, std::string got) {
  throw CorruptionError({.want = std::move(want), .got = std::move(got)});
}

}  // namespace

StoreCheck::StoreCheck(const PageSnapshot& snapshot, const CheckOptions& options)
    : snapshot_(snapshot),
      options_(options),
      tally_(snapshot.page_count(), snapshot.data->status().size_bytes / snapshot.page_bytes()) {
  to_walk_.push_back({.role = Role::free_list, .shown_name = "free list", .tree = snapshot.meta.free});
  to_walk_.push_back({.role = Role::names, .shown_name = "list of tables", .tree = snapshot.meta.main});
  begin_next();
}

StoreCheck::StoreCheck(const PageSnapshot& snapshot, const CheckOptions& options, CheckCursor& cursor)
    : StoreCheck(snapshot, options) {
  cursor_ = &cursor;
  begin_next();  // past the free list, which grows at its end with every commit: parts might never get behind it
}

void StoreCheck::begin_next() {
  walk_.reset();
  if (to_walk_.empty()) return;
  current_ = std::move(to_walk_.front());
  to_walk_.pop_front();
  TreeVisitor& visitor = *this;
  const auto order = current_.role == Role::free_list ? KeyOrder::numbers : KeyOrder::bytes;
  walk_.emplace(snapshot_, current_.tree, order, visitor);
  if (cursor_ == nullptr || current_.role == Role::names || current_.role == Role::meta) return;
  if (current_.lmdb_name == cursor_->tree) {
    if (!cursor_->after.empty()) walk_->begin_after(cursor_->after);
    return;
  }
  *cursor_ = {.tree = current_.lmdb_name, .rounds = cursor_->rounds};
  moved_ = true;
}

/// What was walked in earlier parts is left out.
void StoreCheck::skip_to_cursor() {
  std::ranges::sort(to_walk_, {}, &Walked::lmdb_name);
  while (!to_walk_.empty() && to_walk_.front().lmdb_name < cursor_->tree) to_walk_.pop_front();
}

bool StoreCheck::step() {
  if (!walk_) return false;
  if (walk_->step()) return true;
  end_tree();
  begin_next();
  if (walk_) return true;
  if (cursor_ == nullptr) {
    judge_expiry();
    judge_space();
  } else {
    *cursor_ = {.rounds = cursor_->rounds + 1};
  }
  return false;
}

void StoreCheck::end_tree() {
  const Tree& counted = walk_->counted();
  if (cursor_ == nullptr && !walk_->damaged()) {  // what could not be read cannot be counted
    compare_counts("levels", current_.tree.depth, counted.depth);
    compare_counts("branch pages", current_.tree.branch_pages, counted.branch_pages);
    compare_counts("leaf pages", current_.tree.leaf_pages, counted.leaf_pages);
    compare_counts("overflow pages", current_.tree.overflow_pages, counted.overflow_pages);
    compare_counts("entries", current_.tree.entries, counted.entries);
  }
  if (current_.role == Role::names) judge_names();
  if (current_.role == Role::meta) judge_catalogue();
}

void StoreCheck::compare_counts(const char* what, std::uint64_t recorded, std::uint64_t counted) {
  if (recorded == counted) return;
  add({.table = current_.shown_name,
       .want = std::to_string(recorded) + " " + what + ", as its record says",
       .got = std::to_string(counted)});
}

void StoreCheck::judge_names() {
  for (const char* name : {meta_table_name, backend_table_name})
    if (!named_trees_.contains(name)) add({.table = name, .want = "an LMDB database of every store", .got = "none"});
  const auto meta = named_trees_.find(meta_table_name);
  if (meta == named_trees_.end()) {
    judge_catalogue();
    return;
  }
  to_walk_.push_back({.role = Role::meta, .lmdb_name = meta->first, .shown_name = meta->first, .tree = meta->second});
}

void StoreCheck::judge_catalogue() {
  meta_ = judge_meta(meta_records_);
  for (CheckFinding& finding : meta_.findings) add(std::move(finding));

  auto unclaimed = named_trees_;
  unclaimed.erase(meta_table_name);
  const auto backend = unclaimed.extract(std::string(backend_table_name));
  if (backend) to_walk_.push_back({.lmdb_name = backend.key(), .shown_name = backend.key(), .tree = backend.mapped()});
  const auto index = unclaimed.extract(std::string(expiry_table_name));
  if (!index && meta_.catalogue.has_expiring())
    add({.table = expiry_table_name, .want = "the index of the entries that expire", .got = "none"});
  if (index)
    to_walk_.push_back(
        {.role = Role::expiry, .lmdb_name = index.key(), .shown_name = index.key(), .tree = index.mapped()});
  const auto feed = unclaimed.extract(std::string(feed_table_name));
  if (meta_.findings.empty() && !feed.empty() != meta_.catalogue.feed_begun_after.has_value())
    add({.table = feed_table_name,
         .want = feed ? "no change feed" : "the change feed",
         .got = feed ? "one that the catalogue does not know" : "none"});
  if (feed)
    to_walk_.push_back({.role = Role::feed, .lmdb_name = feed.key(), .shown_name = feed.key(), .tree = feed.mapped()});
  for (const auto& [name, record] : meta_.catalogue.tables) {
    const auto tree = unclaimed.extract(lmdb_name(record.tree));
    if (!tree) {
      add({.table = name, .want = "LMDB database " + lmdb_name(record.tree), .got = "none"});
      continue;
    }
    Walked table{.lmdb_name = tree.key(),
                 .shown_name = name,
                 .tree = tree.mapped(),
                 .table_id = record.id,
                 .expiring = record.is_expiring()};
    if (!record.seal.empty()) table.seal = find_seal(record.seal, options_.seals);
    if (!record.seal.empty() && (!table.seal || !meta_.store)) report_.not_opened.push_back(name);
    to_walk_.push_back(std::move(table));
  }
  for (const auto& [name, tree] : unclaimed) {
    if (tree.root == no_page) continue;
    add({.table = name, .want = "a table of the catalogue", .got = "an LMDB database that it does not know"});
    to_walk_.push_back({.lmdb_name = name, .shown_name = name, .tree = tree});
  }
  if (cursor_ != nullptr) skip_to_cursor();
}

void StoreCheck::judge_expiry() {
  for (const auto& [id, deadlines, rows] : expiry_.differences()) {
    const auto& tables = meta_.catalogue.tables;
    const auto table =
        std::find_if(tables.begin(), tables.end(), [&, id = id](const auto& known) { return known.second.id == id; });
    add({.table = table != tables.end() ? table->first : expiry_table_name,
         .want = std::to_string(deadlines) + " deadlines in the expiry index, those of its entries",
         .got = deadlines == rows ? "others" : std::to_string(rows)});
  }
}

void StoreCheck::judge_space() {
  if (tally_.missing() == 0) return;
  const bool all_read = std::none_of(report_.findings.begin(), report_.findings.end(),
                                     [](const CheckFinding& finding) { return finding.kind == FindingKind::damage; });
  if (!all_read) return;  // below a damaged page there may be any number of others
  add({.kind = FindingKind::lost_space,
       .page = tally_.first_missing(),
       .want = "every page used or free",
       .got = std::to_string(tally_.missing()) + " that are neither, this one the first"});
}

void StoreCheck::claim(std::uint64_t first_page, std::uint64_t page_count) {
  report_.pages_visited += page_count;
  if (cursor_ == nullptr) tally_.claim(first_page, page_count);
}

void StoreCheck::entry(ByteView key, std::uint16_t flags, ByteView value) {
  if (current_.role == Role::names) {
    named_trees_.emplace(as_text(key), decode_named_tree(flags, value));
    return;
  }
  if (cursor_ != nullptr && current_.role != Role::meta) {
    cursor_->after = to_bytes(key);
    moved_ = true;
  }
  if ((flags & tree_flag) != 0) throw_damage("a value", "a tree");
  if (current_.role == Role::free_list) {
    add_free_pages(key, value);
    return;
  }
  if (current_.role == Role::meta) meta_records_.put(key, value);
  if (current_.role == Role::expiry) return expiry_.add_row(key);
  if (current_.role == Role::feed) return feed_.add(key, value, meta_);
  if (current_.role == Role::table) ++report_.entries;
  if (current_.expiring) expiry_.add_entry(current_.table_id, dated_entry(key, value).deadline, key);
  if (!current_.seal || !meta_.store) return;
  const Place place{.store = meta_.store->id, .table = current_.table_id, .key = lent_key(key)};
  if (current_.expiring) {
    static_cast<void>(open_dated(*current_.seal, place, value, scratch_));
  } else {
    static_cast<void>(current_.seal->open(place, value, scratch_));
  }
}

void StoreCheck::add_free_pages(ByteView key, ByteView value) {
  std::uint64_t transaction = 0;
  std::memcpy(&transaction, key.data(), sizeof transaction);
  if (transaction > snapshot_.meta.transaction)
    throw_damage("a transaction up to " + std::to_string(snapshot_.meta.transaction), std::to_string(transaction));
  for (const std::uint64_t number : decode_page_list(value, {})) {
    tally_.claim(number, 1);
    ++report_.free_pages;
  }
}

void StoreCheck::damage(std::uint64_t page, std::optional<ByteView> key, std::string want, std::string got) {
  add({.table = current_.shown_name,
       .page = page,
       .key = key ? std::optional(to_bytes(*key)) : std::nullopt,
       .want = std::move(want),
       .got = std::move(got)});
}

void StoreCheck::add(CheckFinding finding) {
  if (report_.findings.size() < options_.max_findings) {
    report_.findings.push_back(std::move(finding));
  } else {
    ++report_.more_findings;
  }
}

Outcome run_check(StoreCheck& check, const PageSnapshot& snapshot, const LongWork& work) {
  for (std::uint64_t steps = 0; check.step(); ++steps) {
    if (steps % pages_between_looks != 0) continue;
    if (work.stop.stop_requested()) return Outcome::stopped;
    if (work.on_progress) {
      const auto& report = check.report();
      work.on_progress({.done = report.pages_visited + report.free_pages, .total = snapshot.page_count()});
    }
  }
  return Outcome::finished;
}

}  // namespace holdfast::detail
