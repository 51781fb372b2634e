// A store that is backed up, lost, and brought back.

#include <holdfast/db/backup.hpp>
#include <holdfast/db/database.hpp>
#include <holdfast/db/destroy.hpp>
#include <iostream>
#include <memory>

namespace {

void note(holdfast::Database& db, std::string_view day, std::string_view weather) {
  db.update([&](holdfast::WriteTransaction& txn) {
    db.table("weather").put(txn, holdfast::as_bytes(day), holdfast::as_bytes(weather));
  });
}

}  // namespace

int main() {
  {
    const auto db = holdfast::Database::open({.path = "diary"});
    note(*db, "monday", "rain");
    const auto saved = holdfast::backup(*db, "monday.backup");  // readers and writers go on meanwhile
    note(*db, "tuesday", "more rain");

    const auto report = db->check();
    for (const auto& finding : report.findings) std::cout << finding.describe() << "\n";
    std::cout << report.entries << " days, " << report.findings.size() << " findings, backup of commit "
              << saved.transaction << "\n";
  }

  holdfast::destroy("diary");
  holdfast::restore("monday.backup", "diary");

  const auto db = holdfast::Database::open({.path = "diary"});
  std::cout << db->check().entries << " day restored\n";
}
