#pragma once

#include "core/file_io.hpp"

namespace holdfast::detail {

/// Judges a data file before LMDB maps it and goes where its newer meta page points: both must be sound, the roots it
/// names must be tree pages of their own number in the file, and pages that the file lacks at its end must be in the
/// free list (LMDB does not write pages that were allocated and freed in one transaction). A finding counts only if the
/// meta pages are the same after it; while another process commits, it is judged again. Reads with pread only.   Cost:
/// a few pages, and the free list where the file is short. Errors: as read_meta_pages; CorruptionError.
void judge(const File& data);

}  // namespace holdfast::detail
