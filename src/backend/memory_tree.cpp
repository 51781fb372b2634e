#include "backend/memory_tree.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::memory_tree {
namespace {

int height(const Tree& tree) noexcept {
  return tree ? tree->height : 0;
}

void measure(Node& node) noexcept {
  node.height = std::max(height(node.left), height(node.right)) + 1;
}

/// The node to change: itself while nobody else holds it, which is so only for nodes that the change at hand has made;
/// otherwise a copy.
std::shared_ptr<Node> to_change(Tree tree) {
  if (tree.use_count() == 1) return std::const_pointer_cast<Node>(std::move(tree));
  return std::make_shared<Node>(*tree);
}

std::shared_ptr<Node> rotated_right(std::shared_ptr<Node> node) {
  auto pivot = to_change(std::move(node->left));
  node->left = std::move(pivot->right);
  measure(*node);
  pivot->right = std::move(node);
  measure(*pivot);
  return pivot;
}

std::shared_ptr<Node> rotated_left(std::shared_ptr<Node> node) {
  auto pivot = to_change(std::move(node->right));
  node->right = std::move(pivot->left);
  measure(*node);
  pivot->left = std::move(node);
  measure(*pivot);
  return pivot;
}

/// A node whose subtrees' heights differ by two at most, rotated so that they differ by one at most.
Tree balanced(std::shared_ptr<Node> node) {
  const int lean = height(node->left) - height(node->right);
  if (lean > 1) {
    if (height(node->left->left) < height(node->left->right))
      node->left = rotated_left(to_change(std::move(node->left)));
    return rotated_right(std::move(node));
  }
  if (lean < -1) {
    if (height(node->right->right) < height(node->right->left))
      node->right = rotated_right(to_change(std::move(node->right)));
    return rotated_left(std::move(node));
  }
  measure(*node);
  return node;
}

Tree without_smallest(Tree tree) {
  if (!tree->left) return tree->right;
  auto node = to_change(std::move(tree));
  node->left = without_smallest(std::move(node->left));
  return balanced(std::move(node));
}

/// `key` is in `tree`.
Tree without_present(Tree tree, std::string_view key) {
  const int order = key.compare(tree->key);
  if (order == 0 && !tree->left) return tree->right;
  if (order == 0 && !tree->right) return tree->left;
  auto node = to_change(std::move(tree));
  if (order < 0) {
    node->left = without_present(std::move(node->left), key);
  } else if (order > 0) {
    node->right = without_present(std::move(node->right), key);
  } else {
    const Node* successor = node->right.get();
    while (successor->left) successor = successor->left.get();
    node->key = successor->key;
    node->value = successor->value;
    node->right = without_smallest(std::move(node->right));
  }
  return balanced(std::move(node));
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

Tree with(Tree tree, std::string_view key, Value value) {
  if (!tree) return std::make_shared<Node>(Node{std::string(key), std::move(value), nullptr, nullptr, 1});
  const int order = key.compare(tree->key);
  auto node = to_change(std::move(tree));
  if (order < 0) {
    node->left = with(std::move(node->left), key, std::move(value));
  } else if (order > 0) {
    node->right = with(std::move(node->right), key, std::move(value));
  } else {
    node->value = std::move(value);
    return node;
  }
  return balanced(std::move(node));
}

Tree without(Tree tree, std::string_view key) {
  if (find(tree, key) == nullptr) return tree;
  return without_present(std::move(tree), key);
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
