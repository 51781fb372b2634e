#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "db/environment.hpp"
#include "db/expiry.hpp"
#include "db/transaction_tables.hpp"
#include "db_fixture.hpp"
#include "support/hand_clock.hpp"

namespace holdfast::testing {

/// A store with a clock set by hand, and a table whose entries may expire.
class ExpiringTable : public DbTest {
 protected:
  [[nodiscard]] DatabaseOptions clocked() const {
    DatabaseOptions given = options();
    given.clock = clock;
    return given;
  }
  [[nodiscard]] ByteTable expiring(std::string_view name) const {
    return db->table(name, {.expiry = Expiry::per_entry});
  }

  void put(std::string_view key, std::string_view value) {
    db->update([&](WriteTransaction& txn) { table.put(txn, as_bytes(key), as_bytes(value)); });
  }
  void put(std::string_view key, std::string_view value, TimeToLive ttl) {
    db->update([&](WriteTransaction& txn) { table.put(txn, as_bytes(key), as_bytes(value), ttl); });
  }
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const { return at(key, table); }
  [[nodiscard]] std::optional<std::string> at(std::string_view key, const ByteTable& in) const {
    return db->view([&](const ReadTransaction& txn) -> std::optional<std::string> {
      const auto value = in.get(txn, as_bytes(key));
      return value ? std::optional(to_text(*value)) : std::nullopt;
    });
  }
  [[nodiscard]] std::optional<std::chrono::milliseconds> ttl(std::string_view key) const {
    return db->view([&](const ReadTransaction& txn) { return table.ttl(txn, as_bytes(key)); });
  }
  template <class Call>
  auto update(Call call) {
    return db->update([&](WriteTransaction& txn) { return call(txn); });
  }
  [[nodiscard]] std::uint64_t rows_in_index() const {
    std::optional<detail::ReadBase> base;
    const auto index = detail::begin_indexed(
        db->environment(), [&]() -> detail::ReadBase& { return base.emplace(db->environment(), db->options()); });
    return index->expiry() != 0 ? detail::LmdbView(detail::lent(*base), index->expiry()).count() : 0;
  }
  /// Everything that a transaction can say about the keys "a" to "f" must be the same thing.
  static void expect_one_truth(const ByteTable& table, const Transaction& txn, const std::vector<std::string>& keys) {
    EXPECT_EQ(table.count(txn), keys.size());
    std::vector<std::string> forward, backward;
    for (const ByteEntry& entry : table.scan(txn)) forward.push_back(to_text(entry.key));
    for (const ByteEntry& entry : table.scan(txn, {}, Order::descending)) backward.push_back(to_text(entry.key));
    EXPECT_EQ(forward, keys);
    EXPECT_EQ(backward, std::vector<std::string>(keys.rbegin(), keys.rend()));
    for (char key = 'a'; key <= 'f'; ++key) {
      const std::string one(1, key);
      const bool there = std::find(keys.begin(), keys.end(), one) != keys.end();
      EXPECT_EQ(table.get(txn, as_bytes(one)).has_value(), there) << one;
      EXPECT_EQ(table.view(txn, as_bytes(one)).has_value(), there) << one;
      EXPECT_EQ(table.contains(txn, as_bytes(one)), there) << one;
      EXPECT_EQ(table.ttl(txn, as_bytes(one)).has_value(), there) << one;
    }
  }

  std::shared_ptr<HandClock> clock = std::make_shared<HandClock>();
  std::shared_ptr<Database> db = Database::open(clocked());
  ByteTable table = expiring("sessions");
};

}  // namespace holdfast::testing
