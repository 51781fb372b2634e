#include <chrono>
#include <holdfast/holdfast.hpp>
#include <iostream>

using namespace std::chrono_literals;

namespace {

/// Half an hour passes in no time.
class FastClock final : public holdfast::Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point now() const override { return time; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::now();
  }
  std::chrono::system_clock::time_point time{1'700'000'000s};
};

}  // namespace

int main() {
  const auto clock = std::make_shared<FastClock>();
  const auto db = holdfast::Database::open({.path = "sessions", .clock = clock});
  const auto sessions = db->table("sessions", {.expiry = holdfast::Expiry::per_entry});
  const auto minutes_left = [&](std::string_view id) {
    const holdfast::ReadTransaction txn = db->begin_read();
    return std::chrono::duration_cast<std::chrono::minutes>(sessions.ttl(txn, holdfast::as_bytes(id)).value()).count();
  };

  db->update([&](holdfast::WriteTransaction& txn) {
    sessions.put(txn, holdfast::as_bytes("17f3"), holdfast::as_bytes("ada"), 30min);
    sessions.put(txn, holdfast::as_bytes("90ac"), holdfast::as_bytes("bob"), 30min);
  });
  std::cout << "ada is logged in for " << minutes_left("17f3") << " minutes\n";

  clock->time += 20min;
  const bool open = db->update([&](holdfast::WriteTransaction& txn) {  // every visit starts the time anew
    return sessions.expire(txn, holdfast::as_bytes("17f3"), 30min);
  });
  if (open) std::cout << "ada came back: " << minutes_left("17f3") << " minutes more\n";

  clock->time += 15min;  // what has ended is absent at once; purging it gives back its space
  std::cout << sessions.count(db->begin_read()) << " of 2 sessions is open\n";
  std::cout << db->update([&](holdfast::WriteTransaction& txn) { return sessions.purge_expired(txn, 1000); })
            << " purged\n";
}
