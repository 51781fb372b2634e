#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "db/expiry_tally.hpp"
#include "db/feed_tally.hpp"
#include "db/found_meta.hpp"
#include "db/page_tally.hpp"
#include "db/tree_walk.hpp"
#include "holdfast/db/check.hpp"

namespace holdfast::detail {

/// Judges a whole snapshot of a store: every page of every tree, what the catalogue says of them, the seals of sealed
/// tables, and that each page is used once or free. An index over other tables is judged where its tree is named: after
/// every table, when what it must agree with has been seen.
class StoreCheck final : private TreeVisitor {
 public:
  /// `snapshot` must outlive it.
  StoreCheck(const PageSnapshot& snapshot, const CheckOptions& options);

  /// A part only, from where `cursor` stands, which it moves; see Database::check_part.
  StoreCheck(const PageSnapshot& snapshot, const CheckOptions& options, CheckCursor& cursor);

  /// Visits the next page; false when all is judged.
  bool step();
  [[nodiscard]] const CheckReport& report() const noexcept { return report_; }
  [[nodiscard]] CheckReport take_report() { return std::move(report_); }
  /// Pages that two places lay claim to: no one can say whose they are.
  [[nodiscard]] const std::set<std::uint64_t>& contested() const noexcept { return tally_.contested(); }
  /// What was found of the store's trees and of its tables.
  [[nodiscard]] const std::map<std::string, Tree, std::less<>>& trees() const noexcept { return named_trees_; }
  [[nodiscard]] const FoundMeta& meta() const noexcept { return meta_; }
  /// In a part: whether the cursor has moved, so that the next part will not be this one again.
  [[nodiscard]] bool moved() const noexcept { return moved_; }
  /// The number of the last change in the feed that could be read; 0 where there is none.
  [[nodiscard]] std::uint64_t last_change() const noexcept { return feed_.last(); }
  void add(CheckFinding finding);

 private:
  enum class Role { free_list, names, meta, expiry, feed, table };
  struct Walked {
    Role role = Role::table;
    std::string lmdb_name{};
    std::string shown_name{};
    Tree tree{};
    std::uint64_t table_id = 0;
    bool expiring = false;
    std::shared_ptr<const Seal> seal{};
  };

  void begin_next();
  void end_tree();
  void skip_to_cursor();
  void judge_names();
  void judge_catalogue();
  void judge_space();
  void judge_expiry();
  void compare_counts(const char* what, std::uint64_t recorded, std::uint64_t counted);
  void add_free_pages(ByteView key, ByteView value);

  void claim(std::uint64_t first_page, std::uint64_t page_count) override;
  void entry(ByteView key, std::uint16_t flags, ByteView value) override;
  void damage(std::uint64_t page, std::optional<ByteView> key, std::string want, std::string got) override;

  const PageSnapshot& snapshot_;
  const CheckOptions& options_;
  CheckCursor* cursor_ = nullptr;  ///< null when the whole store is checked
  bool moved_ = false;
  PageTally tally_;
  CheckReport report_;
  std::deque<Walked> to_walk_;
  Walked current_;
  std::optional<TreeWalk> walk_;
  std::map<std::string, Tree, std::less<>> named_trees_;
  WriteSet meta_records_;
  FoundMeta meta_;
  ExpiryTally expiry_;
  FeedTally feed_;
  Bytes scratch_;
};

/// Runs a check to its end or until it is stopped, and tells how far it is. Whether it came to the end.
[[nodiscard]] Outcome run_check(StoreCheck& check, const PageSnapshot& snapshot, const LongWork& work);

}  // namespace holdfast::detail
