#include "db/found_meta.hpp"

#include <map>

#include "core/printable.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

CheckFinding finding(const Error& error) {
  CheckFinding found{.table = meta_table_name};
  if (const auto* corrupt = dynamic_cast<const CorruptionError*>(&error)) {
    found.want = corrupt->facts().where + ": " + corrupt->facts().want;
    found.got = corrupt->facts().got;
  } else {
    found.want = "a record that this version reads";
    found.got = error.what();
  }
  return found;
}

/// Runs `read`; what it throws is a finding.
template <class Read>
void try_to(std::vector<CheckFinding>& findings, Read read) {
  try {
    read();
  } catch (const Error& error) {
    findings.push_back(finding(error));
  }
}

}  // namespace

FoundMeta judge_meta(const WriteSet& records) {
  FoundMeta found;
  const MergedView view(nullptr, records);
  try_to(found.findings, [&] { found.store = read_store_meta(view, {}); });
  try_to(found.findings, [&] { found.catalogue = read_catalogue(view, {}); });
  const bool whole = found.findings.empty();
  std::map<std::uint64_t, std::string> names;
  for (const auto& record : table_records(view)) {
    const std::string& name = record.first;
    const auto& stored = record.second;
    const std::string where = "record of table " + printable(name);
    // Of a catalogue that does not read as a whole, the records that do.
    if (!whole)
      try_to(found.findings, [&] {
        found.catalogue.tables[name] = decode_table_record(verified_table_record(name, stored, where), where);
      });
    const auto decoded = found.catalogue.tables.find(name);
    if (decoded == found.catalogue.tables.end()) continue;
    const auto [other, added] = names.emplace(decoded->second.id, name);
    if (added) continue;
    found.findings.push_back(
        {.table = meta_table_name,
         .want = where + ": an id of its own",
         .got = std::to_string(decoded->second.id) + ", that of table " + printable(other->second)});
    found.catalogue.tables.erase(decoded);
  }
  return found;
}

}  // namespace holdfast::detail
