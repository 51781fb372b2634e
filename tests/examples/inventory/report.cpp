// inventory_report <store>: reads an inventory back: its totals, its records, its history.

#include <algorithm>
#include <exception>
#include <iomanip>
#include <iostream>

#include "command_line.hpp"

namespace {

void list(const inventory::Store& store) {
  store.files.for_each_by_prefix("", [](std::string_view path, const inventory::FileRecord& record) {
    std::cout << record.sha256 << '\t' << record.size_bytes << '\t' << path << '\n';
  });
}

void summarize(const inventory::Store& store) {
  const auto totals = store.totals.load().value_or(inventory::Totals{});
  std::vector<std::pair<std::string, inventory::Total>> largest(totals.by_extension.begin(), totals.by_extension.end());
  std::stable_sort(largest.begin(), largest.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  std::cout << "snapshot: totals after " << totals.completed_runs << " completed runs, largest first\n";
  for (std::size_t i = 0; i < std::min<std::size_t>(largest.size(), 5); ++i) {
    const auto& [extension, total] = largest[i];
    std::cout << std::setw(12) << extension << std::setw(8) << total.files << " files" << std::setw(12) << total.bytes
              << " bytes\n";
  }

  std::size_t records = 0;
  store.files.for_each_by_prefix("", [&](std::string_view, const inventory::FileRecord&) { ++records; });
  std::cout << "kv: " << records << " records\n";

  std::cout << "append log: " << store.changes.last_sequence() << " changes, the last ones first\n";
  for (const auto& entry : store.changes.scan({.limit = 5, .reverse = true})) {
    std::cout << std::setw(12) << entry.sequence << "  " << entry.value.kind << '\t' << entry.value.path << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Reads an inventory back."};
  std::string path;
  inventory::BackendKind kind = inventory::BackendKind::lmdb;
  bool listing = false;
  bool check = false;
  app.add_option("store", path, "An inventory made by the inventory program")->required()->check(CLI::ExistingPath);
  inventory::add_backend_option(app, kind);
  auto* list_flag = app.add_flag("--list", listing, "A line for every file: SHA-256, size in bytes, path");
  app.add_flag("--check", check, "Whether records, history and totals agree")->excludes(list_flag);
  CLI11_PARSE(app, argc, argv);

  const inventory::Store store(inventory::open_backend(kind, path, holdfast::Access::read_only));
  if (listing) {
    list(store);
  } else if (check) {
    if (const auto problem = inventory::disagreement(store)) {
      std::cerr << "inventory_report: " << path << ": " << *problem << '\n';
      return 1;
    }
    std::cout << "   records, history and totals agree\n";
  } else {
    summarize(store);
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "inventory_report: " << error.what() << '\n';
  return 1;
}
