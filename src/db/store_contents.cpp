#include "db/store_contents.hpp"

#include "db/write_set.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// Gathers the entries of the main tree.
class NameReader final : public TreeVisitor {
 public:
  NameReader(const PageSnapshot& snapshot, std::map<std::string, Tree, std::less<>>& trees)
      : snapshot_(snapshot), trees_(trees) {}

  void claim(std::uint64_t, std::uint64_t page_count) override {
    pages_ += page_count;
    if (pages_ > snapshot_.page_count())
      throw CorruptionError({.want = "a tree", .got = "pages that lead to themselves"});
  }
  void entry(ByteView key, std::uint16_t flags, ByteView value) override {
    trees_.emplace(as_text(key), decode_named_tree(flags, value));
  }
  void damage(std::uint64_t page, std::optional<ByteView>, std::string want, std::string got) override {
    throw_finding(snapshot_, {.table = "list of tables", .page = page, .want = std::move(want), .got = std::move(got)});
  }

 private:
  const PageSnapshot& snapshot_;
  std::map<std::string, Tree, std::less<>>& trees_;
  std::uint64_t pages_ = 0;
};

const Tree& require_tree(const std::map<std::string, Tree, std::less<>>& trees, const std::string& name) {
  const auto found = trees.find(name);
  if (found == trees.end())
    throw CorruptionError({.where = "list of tables", .want = "LMDB database " + name, .got = "none"});
  return found->second;
}

}  // namespace

TreeSource StoreContents::source(const std::string& name, const TableRecord& record) const {
  return {.shown_name = name,
          .tree = require_tree(trees, lmdb_name(record.tree)),
          .store = meta.id,
          .table_id = record.id,
          .flags = record.flags};
}

TreeSource StoreContents::backend() const {
  return {.shown_name = backend_table_name, .tree = require_tree(trees, backend_table_name)};
}

std::map<std::string, Tree, std::less<>> read_trees(const PageSnapshot& snapshot) {
  std::map<std::string, Tree, std::less<>> trees;
  NameReader names(snapshot, trees);
  TreeWalk walk(snapshot, snapshot.meta.main, KeyOrder::bytes, names);
  while (walk.step()) {
  }
  return trees;
}

StoreContents read_contents(const PageSnapshot& snapshot) {
  StoreContents contents{.trees = read_trees(snapshot)};
  WriteSet records;
  const TreeSource meta{.shown_name = meta_table_name, .tree = require_tree(contents.trees, meta_table_name)};
  const std::set<std::uint64_t> none;
  TreeReader reader(
      snapshot, meta, none, [&](const TreeEntry& entry) { records.put(entry.stored_key, entry.stored_value); },
      [&](const CheckFinding& finding) { throw_finding(snapshot, finding); });
  while (reader.step()) {
  }
  const MergedView view(nullptr, records);
  contents.meta = read_store_meta(view, snapshot.data->path());
  contents.catalogue = read_catalogue(view, snapshot.data->path());
  return contents;
}

}  // namespace holdfast::detail
