#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "db/stored_key.hpp"
#include "db/tree_walk.hpp"
#include "holdfast/db/check.hpp"
#include "holdfast/seal/seal.hpp"

namespace holdfast::detail {

/// One tree of a snapshot, to be copied.
struct TreeSource {
  std::string shown_name{};
  Tree tree{};
  std::shared_ptr<const Seal> seal{};  ///< verified where there is one
  StoreId store{};
  std::uint64_t table_id = 0;
  std::uint64_t flags = 0;  ///< of its record
};

/// One entry. `content` is what was put: the value without its seal, behind its deadline where entries expire.
struct TreeEntry {
  ByteView stored_key{};
  ByteView stored_value{};
  ByteView key{};
  ByteView content{};
};

/// Reads every entry of a tree that verifies, in order, and tells what does not.
class TreeReader final : private TreeVisitor {
 public:
  using OnEntry = std::function<void(const TreeEntry&)>;
  using OnDamage = std::function<void(CheckFinding)>;

  /// Pages in `barred` are not entered.
  TreeReader(const PageSnapshot& snapshot, const TreeSource& source, const std::set<std::uint64_t>& barred,
             OnEntry on_entry, OnDamage on_damage);
  /// Reads the next page; false when there is none left.
  bool step() { return walk_.step(); }
  [[nodiscard]] std::uint64_t pages() const noexcept { return pages_; }

 private:
  ByteView opened(ByteView stored_key, ByteView value);
  void claim(std::uint64_t first_page, std::uint64_t page_count) override;
  void entry(ByteView key, std::uint16_t flags, ByteView value) override;
  void damage(std::uint64_t page, std::optional<ByteView> key, std::string want, std::string got) override;

  const PageSnapshot& snapshot_;
  const TreeSource& source_;
  const std::set<std::uint64_t>& barred_;
  OnEntry on_entry_;
  OnDamage on_damage_;
  TreeWalk walk_;
  std::uint64_t pages_ = 0;
  Bytes key_;
  Bytes scratch_;
  Bytes content_;
};

/// What is thrown where a finding must not be.
[[noreturn]] void throw_finding(const PageSnapshot& snapshot, const CheckFinding& finding);

}  // namespace holdfast::detail
