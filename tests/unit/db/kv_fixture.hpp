#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "db/environment.hpp"
#include "db_fixture.hpp"
#include "holdfast/db/kv_store.hpp"
#include "holdfast/seal/checksum.hpp"
#include "support/hand_clock.hpp"

namespace holdfast::testing {

using Texts = std::vector<std::string>;

/// A KvStore whose entries may expire, by a clock set by hand; checked when the test ends.
class KvStoreTest : public DbTest {
 protected:
  ~KvStoreTest() override { EXPECT_TRUE(db->check().findings.empty()); }

  [[nodiscard]] std::shared_ptr<Database> open_clocked() const {
    DatabaseOptions given = options();
    given.clock = clock;
    given.durability = Durability::ordered;
    return Database::open(given);
  }
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    const auto value = store.get(key);
    return value ? std::optional(to_text(*value)) : std::nullopt;
  }
  static Texts keys(KvRange range) {
    Texts found;
    for (const ByteEntry& entry : range) found.push_back(to_text(entry.key));
    return found;
  }
  [[nodiscard]] Texts keys() const { return keys(store.range()); }
  [[nodiscard]] bool write_passes(const WriteBatch& batch) {
    try {
      store.write(batch);
    } catch (const ConflictError&) {
      return false;
    }
    return true;
  }
  [[nodiscard]] static TableOptions sealed() {
    return {.seal = std::make_shared<ChecksumSeal>(), .expiry = Expiry::per_entry};
  }

  /// Each of `calls` on a thread of its own, all begun before the first is through.
  void at_once(const std::vector<std::function<void()>>& calls) const {
    const auto& group = db->environment()->group_commit();
    auto turn = std::make_optional(db->begin_write());
    std::vector<std::thread> threads;
    for (const auto& call : calls) {
      const std::size_t before = group.waiting();
      threads.emplace_back(call);
      while (group.waiting() == before) std::this_thread::yield();
    }
    turn.reset();
    for (std::thread& thread : threads) thread.join();
  }

  std::shared_ptr<HandClock> clock = std::make_shared<HandClock>();
  std::shared_ptr<Database> db = open_clocked();
  KvStore store{db, "kv", {.expiry = Expiry::per_entry}};
};

}  // namespace holdfast::testing
