#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "holdfast/core/error.hpp"
#include "holdfast/db/database.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast::testing {

/// The state that `call` refuses with; nullopt when it passes or refuses otherwise.
template <class Call>
std::optional<State> refused_with(Call call) {
  try {
    call();
  } catch (const StateError& error) {
    return error.facts().state;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

/// Time that only the test moves.
class StoppedClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point now() const override { return {}; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return now_.load(); }
  void pass(std::chrono::steady_clock::duration time) { now_ = now_.load() + time; }

 private:
  std::atomic<std::chrono::steady_clock::time_point> now_{};
};

/// Stores below a temporary directory.
class DbTest : public ::testing::Test {
 protected:
  using Content = std::map<std::string, std::string>;

  [[nodiscard]] std::filesystem::path path(std::string_view name = "store") const { return directory_.path() / name; }
  [[nodiscard]] DatabaseOptions options(std::string_view name = "store") const {
    return {.path = path(name), .map_reserve_bytes = 1U << 30U};
  }
  [[nodiscard]] std::shared_ptr<Database> open(std::string_view name = "store") const {
    return Database::open(options(name));
  }

  static void put(Database& db, std::string_view table, std::string_view key, std::string_view value) {
    const ByteTable opened = db.table(table);
    db.update([&](WriteTransaction& txn) { opened.put(txn, as_bytes(key), as_bytes(value)); });
  }
  static std::optional<std::string> get(const Database& db, std::string_view table, std::string_view key) {
    return db.view([&](const ReadTransaction& txn) -> std::optional<std::string> {
      const auto value = db.table(table).get(txn, as_bytes(key));
      return value ? std::optional(to_text(*value)) : std::nullopt;
    });
  }
  static Content content(const ByteTable& table, const Transaction& txn, const KeyRange& range = {}) {
    Content all;
    for (const ByteEntry& entry : table.scan(txn, range)) all.emplace(as_text(entry.key), as_text(entry.value));
    return all;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace holdfast::testing
