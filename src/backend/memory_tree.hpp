#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/key_range.hpp"
#include "holdfast/core/write_batch.hpp"

/// An ordered map whose versions never change: an AVL tree. A change makes the nodes on its path anew and shares every
/// other node with the version before; a version lives as long as somebody holds it. A version that is given away
/// (`with(std::move(tree), ...)`) lends its nodes to the next one where nobody else holds them, so that the changes of
/// a batch make a node anew only once.
namespace holdfast::memory_tree {

struct Node;
using Tree = std::shared_ptr<const Node>;  ///< a version; null is the empty map
using Value = std::shared_ptr<const Bytes>;

struct Node {
  std::string key;
  Value value;
  Tree left;
  Tree right;
  int height;
};

/// Null when absent. Cost: O(log n), no allocation.
[[nodiscard]] const Node* find(const Tree& tree, std::string_view key) noexcept;

/// Puts whose keys ascend; their memory is taken.
using Run = std::span<WriteBatch::Write>;

/// The version in which they have happened. Cost: O(log n) time and nodes for one; for a run of m that lies between two
/// keys of the tree O(m + log n).
[[nodiscard]] Tree with(Tree tree, Run run);

/// The version in which `key` is absent; the same one if it is already.
[[nodiscard]] Tree without(Tree tree, std::string_view key);

enum class Direction { ascending, descending };

/// A walk over the keys of a range in one version, which it keeps alive. Cost: O(log n) to start, O(1) a step on
/// average.
class Walk {
 public:
  Walk(Tree tree, KeyRange range, Direction direction);
  /// The next node; null at the end, again and again.
  [[nodiscard]] const Node* next();

 private:
  void descend(const Node* node);

  Tree tree_;
  KeyRange range_;
  Direction direction_;
  std::vector<const Node*> path_;  ///< nodes still to be visited, the next one last
};

}  // namespace holdfast::memory_tree
