#include "backend/memory_tree.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace holdfast::memory_tree {
namespace {

/// An AVL tree of 2^64 nodes is not that high.
constexpr std::size_t highest = 96;

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

Tree with(Tree tree, std::string key, Value value) {
  std::array<Tree*, highest> path;  // the nodes above the key's place, the root first
  std::size_t depth = 0;
  Tree* place = &tree;
  while (*place) {
    Node& node = own(*place);
    const int order = key.compare(node.key);
    if (order == 0) {
      node.value = std::move(value);
      return tree;
    }
    path[depth++] = place;
    place = order < 0 ? &node.left : &node.right;
  }
  *place = std::make_shared<Node>(Node{std::move(key), std::move(value), nullptr, nullptr, 1});
  while (depth > 0) {
    Tree& above = *path[--depth];
    const int height_before = above->height;
    balance(above);
    if (above->height == height_before) break;
  }
  return tree;
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
