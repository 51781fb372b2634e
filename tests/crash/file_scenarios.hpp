#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "backend/file_backend_access.hpp"
#include "backend/file_name.hpp"
#include "holdfast/core/error.hpp"
#include "support/sim_file_ops.hpp"

/// What the crash and fault tests of the file backend do to it: one acknowledged change each, on a disk where
/// everything before it is durable.
namespace holdfast::testing {

using Contents = std::map<std::string, std::string>;

inline const std::filesystem::path store_root = "/data/store";

inline std::unique_ptr<FileBackend> open_files(const std::shared_ptr<SimFileOps>& disk, FileOptions options = {}) {
  options.root = store_root;
  return FileBackendAccess::open(options, {.ops = disk, .clock = system_clock()});
}

/// Read twice over, by scanning and key by key; they must agree.
inline Contents contents_of(const BackendReader& reader) {
  Contents scanned;
  for (const Entry& entry : reader.scan({})) scanned[entry.key] = to_text(entry.value);
  for (const auto& [key, value] : scanned) {
    if (reader.read(key) != to_bytes(value)) throw std::logic_error("scan and read differ about " + key);
  }
  return scanned;
}

struct FileScenario {
  std::string name{};
  Contents before{};
  std::vector<std::string> foreign_names{};  ///< files that spell keys of `before` otherwise, content "foreign"
  void (*change)(FileBackend&) = nullptr;
  Contents after{};
  bool directory_exists = true;

  /// A disk on which `before` is durable, and somebody has owned the directory.
  [[nodiscard]] std::shared_ptr<SimFileOps> disk() const {
    auto disk = std::make_shared<SimFileOps>();
    if (directory_exists) {
      const auto files = open_files(disk);
      files->write("erased", {});  // so that there is a directory
      files->erase("erased");
      for (const auto& [key, value] : before) {
        if (value != "foreign") files->write(key, as_bytes(value));
      }
      for (const auto& foreign : foreign_names) disk->put_file(store_root / foreign, as_bytes("foreign"));
    }
    disk->sync_everything();
    return disk;
  }
  friend std::ostream& operator<<(std::ostream& out, const FileScenario& scenario) { return out << scenario.name; }
};

inline std::string big() {
  return std::string(3000, 'x');
}

inline std::vector<FileScenario> file_scenarios() {
  return {
      {.name = "WriteNew",
       .before = {{"other", "0"}},
       .change = [](FileBackend& files) { files.write("a/b", as_bytes("1")); },
       .after = {{"a/b", "1"}, {"other", "0"}}},
      {.name = "WriteFirst",
       .change = [](FileBackend& files) { files.write("k", as_bytes("1")); },
       .after = {{"k", "1"}},
       .directory_exists = false},
      {.name = "Overwrite",
       .before = {{"k", "old"}, {"other", "0"}},
       .change = [](FileBackend& files) { files.write("k", as_bytes(big())); },
       .after = {{"k", big()}, {"other", "0"}}},
      {.name = "OverwriteByEmpty",
       .before = {{"k", "old"}},
       .change = [](FileBackend& files) { files.write("k", {}); },
       .after = {{"k", ""}}},
      {.name = "OverwriteForeignSpellings",
       .before = {{"other", "0"}, {"\xC3\xA9", "old"}},
       .foreign_names = {"%C3%A9.bin", "%C3%a9.bin"},
       .change = [](FileBackend& files) { files.write("\xC3\xA9", as_bytes("new")); },
       .after = {{"other", "0"}, {"\xC3\xA9", "new"}}},
      {.name = "WriteOverForeignSpellingsOnly",
       .before = {{"\xC3\xA9", "foreign"}},
       .foreign_names = {"%C3%A9.bin", "%C3%a9.bin"},
       .change = [](FileBackend& files) { files.write("\xC3\xA9", as_bytes("new")); },
       .after = {{"\xC3\xA9", "new"}}},
      {.name = "EraseForeignSpellingsOnly",
       .before = {{"\xC3\xA9", "foreign"}},
       .foreign_names = {"%C3%A9.bin", "%C3%a9.bin"},
       .change = [](FileBackend& files) { files.erase("\xC3\xA9"); },
       .after = {}},
      {.name = "Erase",
       .before = {{"k", "old"}, {"other", "0"}},
       .change = [](FileBackend& files) { files.erase("k"); },
       .after = {{"other", "0"}}},
      {.name = "EraseForeignSpellings",
       .before = {{"other", "0"}, {"\xC3\xA9", "old"}},
       .foreign_names = {"%C3%A9.bin", "%C3%a9.bin"},
       .change = [](FileBackend& files) { files.erase("\xC3\xA9"); },
       .after = {{"other", "0"}}},
      {.name = "ApplyOfOne",
       .before = {{"k", "old"}},
       .change = [](FileBackend& files) { files.apply(WriteBatch().put("k", as_bytes("1")).put("k", as_bytes("2"))); },
       .after = {{"k", "2"}}},
      {.name = "ApplyFirst",
       .change = [](FileBackend& files) { files.apply(WriteBatch().put("a", as_bytes("1")).put("b", as_bytes("2"))); },
       .after = {{"a", "1"}, {"b", "2"}},
       .directory_exists = false},
      {.name = "ApplyMixed",
       .before = {{"erased", "old"}, {"kept", "0"}, {"replaced", "old"}, {"\xC3\xA9", "old"}},
       .foreign_names = {"%C3%A9.bin"},
       .change =
           [](FileBackend& files) {
             files.apply(WriteBatch()
                             .put("added", as_bytes(big()))
                             .erase("erased")
                             .erase("absent")
                             .put("replaced", as_bytes("new"))
                             .erase("\xC3\xA9")
                             .require_value("kept", as_bytes("0")));
           },
       .after = {{"added", big()}, {"kept", "0"}, {"replaced", "new"}}},
  };
}

inline std::string scenario_name(const ::testing::TestParamInfo<FileScenario>& info) {
  return info.param.name;
}

/// How many file operations the change takes.
inline std::size_t operations_of(const FileScenario& scenario, const FileOptions& options = {}) {
  const auto disk = scenario.disk();
  const auto files = open_files(disk, options);
  disk->heal();
  scenario.change(*files);
  return disk->calls();
}

/// Whether the change was acknowledged.
inline bool try_change(const FileScenario& scenario, FileBackend& files) {
  try {
    scenario.change(files);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Names of ours that only an interrupted change leaves.
inline bool is_clean(const SimFileOps& disk) {
  for (const auto& name : disk.names(store_root)) {
    if (name.starts_with(file_name::own_prefix)) return false;
  }
  return true;
}

}  // namespace holdfast::testing
