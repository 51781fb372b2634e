// feed_follower <store>: keeps a list of what happened in a store's table `orders`, and goes on where it was killed.

#include <holdfast/holdfast.hpp>
#include <iostream>

using namespace holdfast;

namespace {

/// What it has made of the changes, and how far it is, in one transaction: so it sees every commit once.
class Follower {
 public:
  explicit Follower(Database& db) : db_(db) {}

  /// How many changes were new.
  std::uint64_t follow() const {
    return db_.update([&](WriteTransaction& txn) {
      const std::uint64_t before = positions_.get(txn, "orders").value_or(0);
      std::uint64_t last = before;
      for (const FeedChange& change : db_.changes(txn, before)) {
        last = change.sequence;
        seen_.put(txn, last, (change.kind == ChangeKind::put ? "put " : "other ") + to_text(change.key));
      }
      if (last != before) positions_.put(txn, "orders", last);
      return last - before;
    });
  }
  [[nodiscard]] std::uint64_t count() const { return seen_.count(db_.begin_read()); }

 private:
  Database& db_;
  const Table<std::string, std::uint64_t> positions_{db_, "positions"};
  const Table<std::uint64_t, std::string> seen_{db_, "seen"};
};

}  // namespace

int main(int argc, char** argv) try {
  const auto db = Database::open({.path = argc > 1 ? argv[1] : "orders", .durability = Durability::ordered});
  const Table<std::string, std::string> orders(*db, "orders", {.feed = Feed::on});
  const Follower follower(*db);
  std::cout << "followed: " << follower.follow() << std::endl;

  for (int i = 0; i < 20; ++i) {
    db->update([&](WriteTransaction& txn) {
      const std::uint64_t number = orders.count(txn) + 1;
      orders.put(txn, std::to_string(number), "bolts");
    });
    if (i % 7 == 0) follower.follow();
  }
  follower.follow();
  std::cout << orders.count(db->begin_read()) << " orders, " << follower.count() << " seen" << std::endl;
} catch (const std::exception& error) {
  std::cerr << "feed_follower: " << error.what() << '\n';
  return 1;
}
