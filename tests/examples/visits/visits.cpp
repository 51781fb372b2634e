#include <chrono>
#include <future>
#include <holdfast/holdfast.hpp>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using holdfast::as_bytes;
using holdfast::ByteView;
using holdfast::Database;
using holdfast::KvStore;
using holdfast::WriteBatch;

namespace {

std::optional<holdfast::Bytes> one_more(std::optional<ByteView> count) {
  return holdfast::to_bytes(std::to_string(count ? std::stoi(holdfast::to_text(*count)) + 1 : 1));
}

}  // namespace

int main() {
  const auto db = Database::open({.path = "pages"});
  KvStore visits(db, "visits");
  KvStore leases(db, "leases", {.expiry = holdfast::Expiry::per_entry});

  std::vector<std::future<void>> given;  // two hundred durable writes of one thread, which waits for none
  for (int i = 0; i < 200; ++i) {
    const std::string page = "page-" + std::to_string(i % 8);
    given.push_back(visits.write_async(WriteBatch().put("log/" + std::to_string(i), as_bytes(page))));
  }
  for (auto& done : given) done.get();  // throws what kept this one from being written

  if (leases.compare_and_swap("counting", std::nullopt, as_bytes("this worker"), 30s)) {  // ends by itself
    for (const auto& [key, page] : visits.prefix("log/")) visits.merge("visits/" + holdfast::to_text(page), one_more);
  }
  const bool other = leases.compare_and_swap("counting", std::nullopt, as_bytes("another worker"), 30s);

  std::cout << given.size() << " visits, " << visits.count() - given.size() << " pages\n"
            << "this worker has the lease, the other one " << (other ? "has it too" : "does not") << "\n"
            << "visits/page-0: " << holdfast::to_text(visits.get("visits/page-0").value()) << "\n";
}
