#pragma once

#include <cstdint>
#include <vector>

#include "core/file_ops.hpp"

namespace holdfast::detail {

/// Asks for the parts of a file that a long scan comes to before it has read them page by page: the store's map is
/// opened without the system's own read-ahead, which single reads are slower with. A part is asked for, once, when the
/// scan has come to a second page of it, so not for a table whose pages lie scattered in a large file; and the next one
/// too while the scan goes through the file in its order.
class ReadAhead {
 public:
  static constexpr std::uint64_t part_bytes = std::uint64_t{256} << 10;

  /// Both must outlive it. The file is known as far as `page_count`.
  ReadAhead(FileOps& ops, int fd, std::uint64_t page_bytes, std::uint64_t page_count)
      : ops_(&ops), fd_(fd), page_bytes_(page_bytes), parts_((page_count * page_bytes + part_bytes - 1) / part_bytes) {}

  /// Any number: damage is judged elsewhere.
  void come_to(std::uint64_t page);

 private:
  enum class Part : std::uint8_t { untouched, touched, asked };

  void ask(std::uint64_t number);

  static constexpr std::uint64_t none = ~std::uint64_t{0};

  FileOps* ops_;
  int fd_;
  std::uint64_t page_bytes_;
  std::uint64_t latest_page_ = none;
  std::uint64_t latest_part_ = none - 1;  ///< next to none
  std::vector<Part> parts_;
};

}  // namespace holdfast::detail
