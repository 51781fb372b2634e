#include "db/new_place.hpp"

#include <fcntl.h>

#include <cerrno>

#include "db/store_directory.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

/// Absolute, its parent without links; "state/" names what "state" names.
std::filesystem::path resolve(const std::filesystem::path& target, FileOps& ops) {
  if (target.empty()) throw OptionError({.option = "path", .problem = "is empty"});
  const auto named = target.has_filename() ? target : target.parent_path();
  const auto parent = named.has_parent_path() ? named.parent_path() : std::filesystem::path(".");
  const auto resolved = real_path(ops, parent) / named.filename();
  if (status_of(ops, resolved).kind != FileKind::absent)
    throw IoError({.operation = "create", .path = resolved, .error_number = EEXIST});
  return resolved;
}

}  // namespace

NewPlace::NewPlace(const std::filesystem::path& target, std::shared_ptr<FileOps> ops, const Entropy& entropy)
    : ops_(std::move(ops)),
      target_(resolve(target, *ops_)),
      making_(ops_, target_.parent_path(), unfinished_prefix, entropy) {}

std::filesystem::path NewPlace::data() const {
  return making_.path() / data_file_name;
}

void NewPlace::publish_store() {
  File(ops_, data(), O_RDWR).sync();
  File(ops_, making_.path() / lock_file_name, O_RDWR | O_CREAT).close();  // an opening that only reads makes none
  sync_directory(ops_, making_.path());
  making_.keep_as(target_);
  sync_directory(ops_, target_.parent_path());
}

void NewPlace::publish_file() {
  File(ops_, data(), O_RDWR).sync();
  const int result = ops_->rename(data(), target_, RenameMode::no_replace);
  if (result < 0) throw IoError({.operation = "rename", .path = target_, .error_number = -result});
  sync_directory(ops_, target_.parent_path());
}

}  // namespace holdfast::detail
