#pragma once

#include <string>
#include <vector>

#include "db_fixture.hpp"
#include "support/hand_clock.hpp"

namespace holdfast::testing {

/// A store with a clock set by hand, and a table whose changes are in the feed.
class FeedTest : public DbTest {
 protected:
  using Told = std::vector<std::string>;

  [[nodiscard]] DatabaseOptions clocked() const {
    DatabaseOptions given = options();
    given.clock = clock;
    return given;
  }
  [[nodiscard]] static std::string kind_name(ChangeKind kind) {
    constexpr const char* names[] = {"", "put", "erase", "expire_set", "persist", "expired", "clear"};
    return names[static_cast<unsigned>(kind)];
  }
  /// "put parts/m6", in the order of the feed.
  [[nodiscard]] static std::string text(const FeedChange& change) {
    const bool whole = change.kind == ChangeKind::clear;
    return kind_name(change.kind) + " " + change.table + (whole ? "" : "/" + to_text(change.key));
  }
  [[nodiscard]] static std::vector<FeedChange> changes_in(const Database& in, std::uint64_t since = 0) {
    return in.view([&](const ReadTransaction& txn) {
      std::vector<FeedChange> all;
      for (const FeedChange& change : in.changes(txn, since)) all.push_back(change);
      return all;
    });
  }
  [[nodiscard]] Told told(std::uint64_t since = 0) const {
    Told texts;
    for (const FeedChange& change : changes_in(*db, since)) texts.push_back(text(change));
    return texts;
  }
  [[nodiscard]] FeedExtent extent() const {
    return db->view([&](const ReadTransaction& txn) { return db->feed(txn); });
  }
  [[nodiscard]] static ByteTable fed(const Database& in, std::string_view name) {
    return in.table(name, {.feed = Feed::on});
  }
  void put(std::string_view key, std::string_view value = "value") const {
    db->update([&](WriteTransaction& txn) { parts.put(txn, as_bytes(key), as_bytes(value)); });
  }
  void reopen(const DatabaseOptions& options) {
    db.reset();
    db = Database::open(options);
    parts = fed(*db, "parts");
  }

  std::shared_ptr<HandClock> clock = std::make_shared<HandClock>();
  std::shared_ptr<Database> db = Database::open(clocked());
  ByteTable parts = fed(*db, "parts");
};

}  // namespace holdfast::testing
