#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "db/catalogue.hpp"
#include "db/tree_reader.hpp"

namespace holdfast::detail {

/// What a sound snapshot holds: its trees by the names of their LMDB databases, and what the catalogue says of them.
struct StoreContents {
  std::map<std::string, Tree, std::less<>> trees{};
  StoreMeta meta{};
  Catalogue catalogue{};

  /// The tree of a table. Errors: CorruptionError when there is none.
  [[nodiscard]] TreeSource source(const std::string& name, const TableRecord& record) const;
  [[nodiscard]] TreeSource backend() const;
};

/// The records of its LMDB databases by name. Errors: CorruptionError.
[[nodiscard]] std::map<std::string, Tree, std::less<>> read_trees(const PageSnapshot& snapshot);

/// Errors: CorruptionError for anything damaged; StateError{newer_format}.
[[nodiscard]] StoreContents read_contents(const PageSnapshot& snapshot);

}  // namespace holdfast::detail
