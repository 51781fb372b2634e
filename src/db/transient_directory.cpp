#include "db/transient_directory.hpp"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "db/store_directory.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY;
constexpr std::size_t random_bytes = 16;

/// What cannot be removed is another user's, or holds what is not ours: it stays.
void remove_store(FileOps& ops, const std::filesystem::path& directory) noexcept {
  std::vector<std::string> names;
  static_cast<void>(ops.list(directory, names));
  for (const std::string& name : names)
    if (StoreDirectory::is_file_name(name)) static_cast<void>(ops.remove(directory / name));
  static_cast<void>(ops.remove_directory(directory));
}

}  // namespace

TransientDirectory::TransientDirectory(std::shared_ptr<FileOps> ops, const std::filesystem::path& parent,
                                       std::string_view prefix, const Entropy& entropy)
    : ops_(std::move(ops)) {
  sweep(parent, prefix);
  for (;;) {
    std::array<std::byte, random_bytes> random{};
    entropy.fill(random);
    path_ = parent / (std::string(prefix) + to_hex(random));
    const int made = ops_->make_directory(path_, 0700);
    if (made < 0) throw IoError({.operation = "make directory", .path = path_, .error_number = -made});
    // A sweep may take it for a dead one's until it is locked: then it is gone, or locked by the sweep.
    try {
      held_ = ProcessFile(ops_, path_, directory_flags);
    } catch (const IoError& error) {
      if (error.facts().error_number == ENOENT) continue;
      throw;
    }
    if (try_lock(*ops_, *held_, LockMode::exclusive) && status_of(*ops_, path_).inode == held_->status().inode) return;
  }
}

TransientDirectory::~TransientDirectory() {
  if (!kept_ && !held_.forked()) remove_store(*ops_, path_);
}

void TransientDirectory::keep_as(const std::filesystem::path& name) {
  const int result = ops_->rename(path_, name, RenameMode::no_replace);
  if (result < 0) throw IoError({.operation = "rename", .path = name, .error_number = -result});
  kept_ = true;
}

void TransientDirectory::sweep(const std::filesystem::path& parent, std::string_view prefix) const {
  for (const std::string& name : list_directory(*ops_, parent)) {
    if (!name.starts_with(prefix)) continue;
    const auto random = from_hex(std::string_view(name).substr(prefix.size()));
    if (!random || random->size() != random_bytes) continue;  // a name that somebody chose
    try {
      const ProcessFile found(ops_, parent / name, directory_flags);
      if (try_lock(*ops_, *found, LockMode::exclusive)) remove_store(*ops_, parent / name);
    } catch (const IoError&) {
      continue;  // another user's, or gone meanwhile
    }
  }
}

}  // namespace holdfast::detail
