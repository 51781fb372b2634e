#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/file_io.hpp"

/// What a child of fork() may do with what it inherited: nothing. LMDB's environments, transactions and locks stay the
/// parent's: an abort in the child would empty the parent's reader slot, a close all of them. So every call on an
/// inherited object is StateError{forked}, asked before any lock is taken (a thread that is not in the child may hold
/// it), and every destructor leaves LMDB's objects, mutexes and shared memory as they are: leaked, on purpose.
namespace holdfast::detail {

/// How often this process, or one it comes from, was forked. What remembers another number is a parent's.
inline std::atomic<std::uint64_t> forks{0};

/// From the first call on forks are counted, in the child. Errors: IoError.
void guard_forks();

/// Keeps what a child leaks where leak checkers see it.
void leave_to_parent(const void* inherited) noexcept;

/// A file whose descriptor carries locks for this process alone. A child's copy would hold them beyond the parent's
/// death, so it is closed in the child, which does not release what the parent holds.
/// Threads: as File.
class ProcessFile {
 public:
  ProcessFile() : file_(std::make_unique<File>()) {}  ///< none
  /// Errors: IoError("open").
  ProcessFile(std::shared_ptr<FileOps> ops, std::filesystem::path path, int flags);
  ~ProcessFile();
  ProcessFile(ProcessFile&& other) noexcept = default;
  ProcessFile& operator=(ProcessFile&& other) noexcept;

  /// Whether another process opened it: then it is closed here.
  [[nodiscard]] bool forked() const noexcept { return opened_in_ != forks.load(std::memory_order_relaxed); }
  [[nodiscard]] const File& operator*() const noexcept { return *file_; }
  [[nodiscard]] const File* operator->() const noexcept { return file_.get(); }

 private:
  void close() noexcept;

  std::unique_ptr<File> file_;
  std::uint64_t opened_in_ = 0;
};

}  // namespace holdfast::detail
