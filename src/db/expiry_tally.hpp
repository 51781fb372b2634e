#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "db/expiry.hpp"

namespace holdfast::detail {

/// Compares the expiry index with the entries it is of, each read once, in any order: by how many there are, and the
/// sum of their digests.
class ExpiryTally {
 public:
  /// An entry of an expiring table.
  void add_entry(std::uint64_t table_id, UnixMs deadline, ByteView key);
  /// A row of the index. Errors: CorruptionError for a key that no row has.
  void add_row(ByteView key);

  struct Difference {
    std::uint64_t table_id = 0;
    std::uint64_t deadlines = 0;  ///< entries that have one
    std::uint64_t rows = 0;       ///< of the index; as many, when they are others
  };
  [[nodiscard]] std::vector<Difference> differences() const;

 private:
  struct Sum {
    std::uint64_t count = 0;
    std::uint64_t digests = 0;
    void add(ByteView row);
    bool operator==(const Sum&) const = default;
  };
  struct Table {
    Sum deadlines, rows;
  };

  std::map<std::uint64_t, Table> tables_;
};

}  // namespace holdfast::detail
