#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file_ops.hpp"
#include "holdfast/core/bytes.hpp"

namespace holdfast::testing {

/// A file system in memory that knows of every file and directory what was synced. Calls can be made to fail, to come
/// up short, or to be the last: after a stop every call answers -EIO and changes nothing, and after() is what a
/// machine finds that starts again.
/// Paths are absolute. Links are seen but never followed. Threads: all methods may be called at once.
class SimFileOps final : public FileOps {
 public:
  enum class Operation {
    open,
    close,
    read,
    write,
    truncate,
    sync,
    status,
    rename,
    remove,
    make_directory,
    real_path,
    file_system,
    list,
    lock
  };
  struct Call {
    Operation operation{};
    std::size_t number = 0;  ///< from 1, since the last script() or heal()
    std::filesystem::path path{};
  };
  enum class Verdict {
    pass,
    stop,         ///< the last call: nothing happens, but of a write the first half
    fail_before,  ///< an error, and nothing happens
    fail_after,   ///< an error, although it happened
    shorten,      ///< of a read or a write, half
  };
  using Script = std::function<Verdict(const Call&)>;

  enum class Names { told_apart, compared_without_case };
  explicit SimFileOps(Names names = Names::told_apart);

  /// From now on calls fare as `judge` says; failures are `error_number`. Counting starts anew.
  void script(Script judge, int error_number);
  /// The `number`th call from now on.
  void script_call(std::size_t number, Verdict verdict, int error_number);
  void heal() { script(nullptr, 0); }
  [[nodiscard]] std::size_t calls() const;
  [[nodiscard]] std::size_t calls(Operation operation) const;

  enum class Aftermath {
    kept,   ///< a process crashed: everything is as it was, and still not synced
    lost,   ///< power failed: only what was synced is left
    mixed,  ///< power failed: of what was not synced, each name and each content may be left, lost or torn
  };
  /// The same disk, found again: no descriptors, no locks, no script.
  [[nodiscard]] std::shared_ptr<SimFileOps> after(Aftermath aftermath, std::uint64_t seed = 0) const;

  /// All there is on the disk, synced and not: equal for disks that nobody can tell apart.
  [[nodiscard]] std::string image() const;

  /// Everything there is is now synced.
  void sync_everything();
  void put_file(const std::filesystem::path& path, ByteView content);
  void put_special(const std::filesystem::path& path, FileKind kind);
  [[nodiscard]] std::optional<Bytes> content(const std::filesystem::path& path) const;
  [[nodiscard]] std::set<std::string> names(const std::filesystem::path& directory) const;

  int open(const std::filesystem::path& path, int flags, unsigned mode) override;
  int close(int fd) override;
  std::int64_t read_at(int fd, std::span<std::byte> out, std::uint64_t offset_bytes) override;
  std::int64_t write_at(int fd, ByteView bytes, std::uint64_t offset_bytes) override;
  int truncate(int fd, std::uint64_t size_bytes) override;
  int sync(int fd) override;
  int status(const std::filesystem::path& path, FileStatus& out) override;
  int status_of(int fd, FileStatus& out) override;
  int rename(const std::filesystem::path& from, const std::filesystem::path& to, RenameMode mode) override;
  int remove(const std::filesystem::path& path) override;
  int remove_directory(const std::filesystem::path& path) override;
  int make_directory(const std::filesystem::path& path, unsigned mode) override;
  int real_path(const std::filesystem::path& path, std::filesystem::path& out) override;
  int file_system(const std::filesystem::path& path, FileSystemStatus& out) override;
  int file_system_of(int fd, FileSystemStatus& out) override;
  int list(const std::filesystem::path& directory, std::vector<std::string>& names) override;
  int try_lock(int fd, LockMode mode) override;
  int try_lock_byte(int fd, std::uint64_t offset_bytes, LockMode mode) override;
  int are_bytes_locked(int fd, std::uint64_t offset_bytes, std::uint64_t size_bytes) override;
  int unlock_byte(int fd, std::uint64_t offset_bytes) override;

 private:
  using InodeNumber = std::uint64_t;
  using Entries = std::map<std::string, InodeNumber, std::less<>>;
  struct Inode {
    FileKind kind = FileKind::regular;
    Bytes content{};
    Bytes synced_content{};
    Entries entries{};
    Entries synced_entries{};
    std::int64_t modified_ns = 0;
  };
  /// Which descriptors hold a lock; more than one only when all share it.
  struct Lock {
    LockMode mode = LockMode::shared;
    std::set<int> holders{};
  };
  using LockPlace = std::pair<InodeNumber, std::optional<std::uint64_t>>;
  /// A name's directory (0: none), the name as it stands there or would, and what it names (0: nothing).
  struct Place {
    InodeNumber directory = 0;
    std::string name{};
    InodeNumber inode = 0;
  };

  void append_image(std::string& image, const std::string& path, InodeNumber number) const;
  template <class Result, class Effect>
  Result run(Operation operation, const std::filesystem::path& path, Effect effect);
  Verdict judge(Operation operation, const std::filesystem::path& path);
  [[nodiscard]] std::filesystem::path path_of(int fd) const;
  [[nodiscard]] Inode* inode_of(int fd);
  [[nodiscard]] InodeNumber find_entry(const Entries& entries, std::string& name) const;
  [[nodiscard]] Place resolve(const std::filesystem::path& path) const;
  void touch(Inode& inode) { inode.modified_ns = ++time_; }
  InodeNumber create(const Place& place, FileKind kind);
  int take_lock(int fd, std::optional<std::uint64_t> offset_bytes, LockMode mode);
  [[nodiscard]] FileStatus status_from(InodeNumber number) const;

  const Names names_;
  mutable std::mutex mutex_;  ///< guards the rest
  std::map<InodeNumber, Inode> inodes_;
  InodeNumber last_inode_ = 1;
  std::map<int, std::pair<InodeNumber, std::filesystem::path>> descriptors_;
  int last_descriptor_ = 2;
  std::map<LockPlace, Lock> locks_;
  std::int64_t time_ = 0;
  Script script_;
  int error_number_ = 0;
  bool stopped_ = false;
  std::size_t calls_ = 0;
  std::map<Operation, std::size_t> calls_by_operation_;
};

}  // namespace holdfast::testing
