#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace inventory {

/// What is known of one file.
struct FileRecord {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
  std::string sha256;            ///< lower-case hex
  bool operator==(const FileRecord&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileRecord, size_bytes, modified_ns, sha256)

/// One line of history.
struct Change {
  std::string kind;  ///< "added", "changed", "removed"
  std::string path;
  std::uint64_t size_bytes = 0;  ///< afterwards; of a removed file: before
  bool operator==(const Change&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Change, kind, path, size_bytes)

struct Total {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Total&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Total, files, bytes)

/// The whole tree at a glance. It is saved in the same commit as the records it sums up, so it always agrees with them.
struct Totals {
  std::map<std::string, Total> by_extension;
  std::uint64_t completed_runs = 0;
  std::uint64_t reported_changes = 0;  ///< sequence number of the last change that a completed run has reported
  bool operator==(const Totals&) const = default;

  void add(const std::string& extension, std::uint64_t size_bytes) {
    Total& total = by_extension[extension];
    ++total.files;
    total.bytes += size_bytes;
  }
  void remove(const std::string& extension, std::uint64_t size_bytes) {
    const auto at = by_extension.find(extension);
    if (at == by_extension.end()) return;
    at->second.bytes -= size_bytes;
    if (--at->second.files == 0) by_extension.erase(at);
  }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Totals, by_extension, completed_runs, reported_changes)

}  // namespace inventory
