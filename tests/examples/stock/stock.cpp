// stock: a counter of parts that several programs may change at once: none of them sells what is not there.
#include <holdfast/holdfast.hpp>
#include <iostream>

using holdfast::Database;
using holdfast::ReadTransaction;
using holdfast::Table;
using holdfast::WriteTransaction;

int main() {
  const auto db = Database::open({.path = "parts"});
  const Table<std::string, std::uint32_t> stock(*db, "stock");
  const Table<std::tuple<std::string, std::uint64_t>, std::string> sold(*db, "sold");

  db->update([&](WriteTransaction& txn) {
    for (const char* sku : {"bolt-m6", "bolt-m8", "nut-m6"}) stock.insert(txn, sku, 2);
  });

  const auto sell = [&](const std::string& sku, const std::string& customer) {
    return db->update([&](WriteTransaction& txn) {  // committed when this returns; an exception rolls it back
      const auto left = stock.get(txn, sku).value_or(0);
      if (left == 0) return false;
      stock.put(txn, sku, left - 1);
      sold.put(txn, {sku, sold.count(txn) + 1}, customer);
      return true;
    });
  };
  for (const char* customer : {"Ada", "Grace", "Edsger"})
    std::cout << customer << (sell("bolt-m6", customer) ? " got a bolt\n" : " came too late\n");

  db->view([&](const ReadTransaction& txn) {  // one state of the whole store, whoever writes meanwhile
    for (const auto& [sku, left] : stock.range(txn, {.from = "bolt", .below = "nut"}))
      std::cout << sku << ": " << left << " left\n";
    for (const auto& [key, customer] : sold.prefix_fields(txn, std::string("bolt-m6")))
      std::cout << "sale " << std::get<1>(key) << " to " << customer << "\n";
  });
}
