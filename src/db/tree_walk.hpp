#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db/tree_page.hpp"

namespace holdfast::detail {

/// A state of a store as its file holds it: what one meta page leads to. The pages do not change while it is used: a
/// read transaction pins them, or the store is held alone.
struct PageSnapshot {
  const File* data = nullptr;
  MetaPage meta{};

  [[nodiscard]] std::uint64_t page_bytes() const noexcept { return meta.free.pad; }
  [[nodiscard]] std::uint64_t page_count() const noexcept { return meta.last_page + 1; }
};

/// How the keys of a tree are ordered.
enum class KeyOrder {
  bytes,
  numbers,  ///< 8 bytes in the machine's order: the free list's transactions
};

/// What a walk tells of.
class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  /// The walk reaches these pages. Errors: CorruptionError when they cannot be the tree's: they are not entered then.
  virtual void claim(std::uint64_t first_page, std::uint64_t page_count) = 0;
  /// An entry, in key order. Errors: CorruptionError when it is damaged; any other ends the walk.
  virtual void entry(ByteView key, std::uint16_t flags, ByteView value) = 0;
  /// A page, or one entry of it, that is not what it should be; the walk goes on behind it.
  virtual void damage(std::uint64_t page, std::optional<ByteView> key, std::string want, std::string got) = 0;
};

/// Walks a B-tree by its pages, read with pread, in key order; never crashes and always ends, whatever the bytes. A
/// page is entered only when all of it verifies: its number and kind, its nodes, and its keys, each between those of
/// the page above.
/// Memory: one page for each level.
class TreeWalk {
 public:
  TreeWalk(const PageSnapshot& snapshot, const Tree& tree, KeyOrder order, TreeVisitor& visitor)
      : snapshot_(snapshot), root_(tree.root), order_(order), visitor_(visitor) {}

  /// Before the first step: begins behind that key.
  void begin_after(ByteView key) { after_ = to_bytes(key); }
  /// Visits the next page; false when there is none left.
  bool step();

  /// What was met so far, to be compared with the tree's record.
  [[nodiscard]] const Tree& counted() const noexcept { return counted_; }
  [[nodiscard]] bool damaged() const noexcept { return damaged_; }

 private:
  struct Level {
    TreePage page;
    std::size_t next = 0;  ///< child to visit
    Bytes low{};
    std::optional<Bytes> high{};
  };

  void enter(std::uint64_t number, Bytes low, std::optional<Bytes> high);
  [[nodiscard]] TreePage read(std::uint64_t number, ByteView low, const std::optional<Bytes>& high);
  void require_level(const TreePage& page);
  void require_order(const TreePage& page, ByteView low, const std::optional<Bytes>& high) const;
  void visit_entries(const TreePage& page);
  [[nodiscard]] std::optional<Bytes> read_value(const TreePage& page, std::size_t index);
  [[nodiscard]] bool precedes(ByteView a, ByteView b) const;
  void report(std::uint64_t page, std::optional<ByteView> key, std::string want, std::string got);

  const PageSnapshot& snapshot_;
  std::uint64_t root_;
  KeyOrder order_;
  TreeVisitor& visitor_;
  std::optional<Bytes> after_;
  std::vector<Level> path_;
  Tree counted_;
  bool begun_ = false;
  bool damaged_ = false;
};

/// The record of a named LMDB database, from its entry in the main tree. Errors: CorruptionError.
[[nodiscard]] Tree decode_named_tree(std::uint16_t flags, ByteView value);

}  // namespace holdfast::detail
