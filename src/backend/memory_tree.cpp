#include "backend/memory_tree.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::memory_tree {
namespace {

int height(const Tree& tree) noexcept {
  return tree ? tree->height : 0;
}

Tree make(std::string key, Value value, Tree left, Tree right) {
  const int taller = std::max(height(left), height(right));
  return std::make_shared<const Node>(
      Node{std::move(key), std::move(value), std::move(left), std::move(right), taller + 1});
}

/// A node over two subtrees whose heights differ by two at most, rotated so that they differ by one at most.
Tree balanced(std::string key, Value value, Tree left, Tree right) {
  const int lean = height(left) - height(right);
  if (lean > 1) {
    if (height(left->left) >= height(left->right)) {
      Tree lower = make(std::move(key), std::move(value), left->right, std::move(right));
      return make(left->key, left->value, left->left, std::move(lower));
    }
    const Node& pivot = *left->right;
    Tree lower_left = make(left->key, left->value, left->left, pivot.left);
    Tree lower_right = make(std::move(key), std::move(value), pivot.right, std::move(right));
    return make(pivot.key, pivot.value, std::move(lower_left), std::move(lower_right));
  }
  if (lean < -1) {
    if (height(right->right) >= height(right->left)) {
      Tree lower = make(std::move(key), std::move(value), std::move(left), right->left);
      return make(right->key, right->value, std::move(lower), right->right);
    }
    const Node& pivot = *right->left;
    Tree lower_left = make(std::move(key), std::move(value), std::move(left), pivot.left);
    Tree lower_right = make(right->key, right->value, pivot.right, right->right);
    return make(pivot.key, pivot.value, std::move(lower_left), std::move(lower_right));
  }
  return make(std::move(key), std::move(value), std::move(left), std::move(right));
}

Tree without_smallest(const Tree& tree) {
  if (!tree->left) return tree->right;
  return balanced(tree->key, tree->value, without_smallest(tree->left), tree->right);
}

/// `key` is in `tree`.
Tree without_present(const Tree& tree, std::string_view key) {
  const int order = key.compare(tree->key);
  if (order < 0) return balanced(tree->key, tree->value, without_present(tree->left, key), tree->right);
  if (order > 0) return balanced(tree->key, tree->value, tree->left, without_present(tree->right, key));
  if (!tree->left) return tree->right;
  if (!tree->right) return tree->left;
  const Node* successor = tree->right.get();
  while (successor->left) successor = successor->left.get();
  return balanced(successor->key, successor->value, tree->left, without_smallest(tree->right));
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

Tree with(const Tree& tree, std::string_view key, Value value) {
  if (!tree) return make(std::string(key), std::move(value), nullptr, nullptr);
  const int order = key.compare(tree->key);
  if (order < 0) return balanced(tree->key, tree->value, with(tree->left, key, std::move(value)), tree->right);
  if (order > 0) return balanced(tree->key, tree->value, tree->left, with(tree->right, key, std::move(value)));
  return make(tree->key, std::move(value), tree->left, tree->right);
}

Tree without(const Tree& tree, std::string_view key) {
  return find(tree, key) == nullptr ? tree : without_present(tree, key);
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
