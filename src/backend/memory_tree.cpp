#include "backend/memory_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace holdfast::memory_tree {
namespace {

int height(const Tree& tree) noexcept {
  return tree ? tree->height : 0;
}

void measure(Node& node) noexcept {
  node.height = std::max(height(node.left), height(node.right)) + 1;
}

/// The node at `place`, to be changed: itself while nobody else holds it, which is so only for nodes that the change at
/// hand has made; otherwise a copy, which takes its place.
Node& own(Tree& place) {
  if (place.use_count() != 1) place = std::make_shared<Node>(*place);
  return const_cast<Node&>(*place);  // made by make_shared<Node>
}

void rotate_right(Tree& place) {
  Node& node = own(place);
  Node& left = own(node.left);
  Tree pivot = std::exchange(node.left, std::move(left.right));
  measure(node);
  left.right = std::exchange(place, std::move(pivot));
  measure(left);
}

void rotate_left(Tree& place) {
  Node& node = own(place);
  Node& right = own(node.right);
  Tree pivot = std::exchange(node.right, std::move(right.left));
  measure(node);
  right.left = std::exchange(place, std::move(pivot));
  measure(right);
}

/// Rotates an owned node whose subtrees' heights differ by two at most, so that they differ by one at most.
void balance(Tree& place) {
  Node& node = own(place);
  const int lean = height(node.left) - height(node.right);
  if (lean > 1) {
    if (height(node.left->left) < height(node.left->right)) rotate_left(node.left);
    rotate_right(place);
  } else if (lean < -1) {
    if (height(node.right->right) < height(node.right->left)) rotate_right(node.right);
    rotate_left(place);
  } else {
    measure(node);
  }
}

/// All keys of `left` are below that of `middle`, a node whose own subtrees are of no account; those of `right` above.
/// Cost: O(difference of the heights).
Tree joined(Tree left, Tree middle, Tree right) {
  if (height(left) > height(right) + 1) {
    Tree& place = own(left).right;
    place = joined(std::move(place), std::move(middle), std::move(right));
    balance(left);
    return left;
  }
  if (height(right) > height(left) + 1) {
    Tree& place = own(right).left;
    place = joined(std::move(left), std::move(middle), std::move(place));
    balance(right);
    return right;
  }
  Node& node = own(middle);
  node.left = std::move(left);
  node.right = std::move(right);
  measure(node);
  return middle;
}

Value value_of(WriteBatch::Write& write) {
  return std::make_shared<const Bytes>(std::move(*write.value));
}

/// A tree of nothing else.
Tree built(Run run) {
  if (run.empty()) return nullptr;
  const std::size_t middle = run.size() / 2;
  WriteBatch::Write& write = run[middle];
  Value value = value_of(write);
  auto node = std::make_shared<Node>(
      Node{std::move(write.key), std::move(value), built(run.first(middle)), built(run.subspan(middle + 1)), 0});
  measure(*node);
  return node;
}

void remove_smallest(Tree& place) {
  if (!place->left) {
    place = Tree(place->right);
    return;
  }
  remove_smallest(own(place).left);
  balance(place);
}

/// `key` is in the tree at `place`.
void remove_present(Tree& place, std::string_view key) {
  const int order = key.compare(place->key);
  if (order == 0 && (!place->left || !place->right)) {
    place = Tree(place->left ? place->left : place->right);
    return;
  }
  Node& node = own(place);
  if (order < 0) {
    remove_present(node.left, key);
  } else if (order > 0) {
    remove_present(node.right, key);
  } else {
    const Node* successor = node.right.get();
    while (successor->left) successor = successor->left.get();
    node.key = successor->key;
    node.value = successor->value;
    remove_smallest(node.right);
  }
  balance(place);
}

}  // namespace

const Node* find(const Tree& tree, std::string_view key) noexcept {
  const Node* node = tree.get();
  while (node != nullptr) {
    const int order = key.compare(node->key);
    if (order == 0) return node;
    node = order < 0 ? node->left.get() : node->right.get();
  }
  return nullptr;
}

Tree with(Tree tree, Run run) {
  if (run.empty()) return tree;
  if (!tree) return built(run);
  Node& node = own(tree);
  const auto at = std::lower_bound(run.begin(), run.end(), std::string_view(node.key),
                                   [](const auto& write, std::string_view key) { return write.key < key; });
  const auto below_count = static_cast<std::size_t>(at - run.begin());
  const bool is_here = at != run.end() && at->key == node.key;
  if (is_here) node.value = value_of(*at);
  bool heights_are_same = true;
  const auto put_into = [&heights_are_same](Tree& place, Run part) {
    if (part.empty()) return;
    const int height_before = height(place);
    place = with(std::move(place), part);
    heights_are_same = heights_are_same && height(place) == height_before;
  };
  put_into(node.left, run.first(below_count));
  put_into(node.right, run.subspan(below_count + (is_here ? 1 : 0)));
  if (heights_are_same) return tree;
  return joined(std::move(node.left), std::move(tree), std::move(node.right));
}

Tree without(Tree tree, std::string_view key) {
  if (find(tree, key) != nullptr) remove_present(tree, key);
  return tree;
}

Walk::Walk(Tree tree, KeyRange range, Direction direction)
    : tree_(std::move(tree)), range_(std::move(range)), direction_(direction) {
  descend(tree_.get());
}

const Node* Walk::next() {
  if (path_.empty()) return nullptr;
  const Node* node = path_.back();
  if (!range_.contains(node->key)) {
    path_.clear();
    return nullptr;
  }
  path_.pop_back();
  descend(direction_ == Direction::ascending ? node->right.get() : node->left.get());
  return node;
}

/// Puts on the path what of this subtree lies at or beyond the range's beginning, as far as its first key.
void Walk::descend(const Node* node) {
  while (node != nullptr) {
    const Node* left = node->left.get();
    const Node* right = node->right.get();
    if (direction_ == Direction::ascending) {
      const bool inside = node->key >= range_.first;
      if (inside) path_.push_back(node);
      node = inside ? left : right;
    } else {
      const bool inside = !range_.last || node->key < *range_.last;
      if (inside) path_.push_back(node);
      node = inside ? right : left;
    }
  }
}

}  // namespace holdfast::memory_tree
