// A model of your own, attached in the place of a StateGraph: a score board that knows nothing of storage.
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "holdfast/holdfast.hpp"

class ScoreBoard {
 public:
  void score(const std::string& player, int points) {
    holdfast::GraphCommit commit;
    {
      const std::lock_guard lock(mutex_);
      const auto found = points_.find(player);
      commit.note_node(player, found == points_.end() ? std::nullopt : std::optional(slice(found->second)),
                       slice(points_[player] + points));
      points_[player] += points;
      hub_.publish(commit);
    }
    hub_.settle(commit);  // here the change becomes durable
  }
  [[nodiscard]] int points(const std::string& player) const {
    const std::lock_guard lock(mutex_);
    const auto found = points_.find(player);
    return found == points_.end() ? 0 : found->second;
  }

  // What makes it a PersistentGraph.
  [[nodiscard]] std::string name() const { return "scores"; }
  [[nodiscard]] holdfast::GraphSnapshot snapshot() const {
    const std::lock_guard lock(mutex_);
    holdfast::GraphSnapshot state{.name = name()};
    for (const auto& [player, points] : points_) state.nodes.emplace(player, slice(points));
    return state;
  }
  void replace(const holdfast::GraphSnapshot& state) {
    const std::lock_guard lock(mutex_);
    points_.clear();
    for (const auto& [player, node] : state.nodes) points_[player] = node.value->get<int>();
  }
  [[nodiscard]] std::unique_lock<std::recursive_mutex> pause() const { return std::unique_lock(mutex_); }
  [[nodiscard]] holdfast::CommitHub& hub() noexcept { return hub_; }

 private:
  static holdfast::NodeSlice slice(int points) {
    return {.status = {.kind = holdfast::NodeStatus::Kind::live}, .value = holdfast::node_value(points)};
  }

  mutable std::recursive_mutex mutex_;  // snapshot() is called while pause() holds it
  std::map<std::string, int> points_;
  holdfast::CommitHub hub_;
};

int main() {
  const holdfast::GraphStorage storage(std::make_shared<holdfast::MemoryBackend>(), "scores");
  {
    ScoreBoard board;
    const auto saved = holdfast::attach(board, storage);
    board.score("Ada", 3);
    board.score("Grace", 5);
    board.score("Ada", 4);
  }
  ScoreBoard board;
  if (!holdfast::restore(board, storage)) return 1;
  std::cout << "Ada " << board.points("Ada") << ", Grace " << board.points("Grace") << "\n";
}
