#include "backend/file_directory.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "core/printable.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {
namespace {

/// The directory itself, also where its path ends in a link.
std::filesystem::path self(const std::filesystem::path& path) {
  return path / ".";
}

/// Why a name that is not a regular file is refused; 0 when it is one.
int refusal(FileKind kind) {
  switch (kind) {
    case FileKind::symlink: return ELOOP;
    case FileKind::directory: return EISDIR;
    case FileKind::other: return EINVAL;
    case FileKind::absent:
    case FileKind::regular: break;
  }
  return 0;
}

void require_regular(const std::filesystem::path& path, FileKind kind) {
  if (const int error_number = refusal(kind); error_number != 0) {
    throw IoError({.operation = "open as a regular file", .path = path, .error_number = error_number});
  }
}

std::string with_other_case(std::string_view name) {
  std::string other = file_name::folded(name);
  if (other == name) {
    for (char& c : other) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
  }
  return other;
}

}  // namespace

FileDirectory::FileDirectory(Seams seams, std::filesystem::path path, file_name::HiddenNames hidden)
    : seams_(std::move(seams)), path_(std::move(path)), hidden_(hidden) {}

bool FileDirectory::exists() const {
  return modified_ns().has_value();
}

std::optional<std::int64_t> FileDirectory::modified_ns() const {
  const FileStatus status = status_of(*seams_.ops, self(path_));
  return status.kind == FileKind::absent ? std::nullopt : std::optional(status.modified_ns);
}

void FileDirectory::check_key(std::string_view key) const {
  if (!is_utf8(key)) {
    throw UnsupportedError({.capability = "a key that is not UTF-8, " + printable(key) + ",", .where = path_.string()});
  }
  const std::size_t name_bytes = file_name::encode(key).size();
  if (name_bytes > limits::max_file_name_bytes) {
    throw LimitError({.limit = "max_file_name_bytes",
                      .maximum = limits::max_file_name_bytes,
                      .actual = name_bytes,
                      .unit = "bytes",
                      .where = path_.string() + ": key " + printable(key)});
  }
}

bool FileDirectory::ignores_case() const {
  if (case_rule_ == CaseRule::unknown) probe_case(list_directory(*seams_.ops, path_));
  return case_rule_ == CaseRule::ignored;
}

void FileDirectory::probe_case(const std::vector<std::string>& names) const {
  if (case_rule_ != CaseRule::unknown) return;
  for (const std::string& name : names) {
    const std::string other = with_other_case(name);
    if (other == name) continue;  // no letters
    const bool both_listed = std::find(names.begin(), names.end(), other) != names.end();
    const bool both_found = status_of(*seams_.ops, path_ / other).kind != FileKind::absent;
    case_rule_ = both_found && !both_listed ? CaseRule::ignored : CaseRule::told_apart;
    return;
  }
}

FileDirectory::Listing FileDirectory::read_listing(std::int64_t modified_ns, std::int64_t others_modified_ns) const {
  // Kernels stamp changes with the time of their last tick, at most this long ago: two changes within it look alike.
  constexpr std::chrono::milliseconds longest_tick{20};
  const auto now = seams_.clock->now().time_since_epoch();
  const auto names = list_directory(*seams_.ops, path_);
  probe_case(names);
  const bool folds = case_rule_ == CaseRule::ignored;
  Listing listing;
  listing.modified_ns = modified_ns;
  listing.others_modified_ns = others_modified_ns;
  listing.settled = !folds && now - std::chrono::nanoseconds(others_modified_ns) > longest_tick;
  for (const std::string& name : names) {
    if (folds) listing.by_folded.emplace(file_name::folded(name), name);
    auto key = file_name::decode(name, hidden_);
    if (key && file_name::encode(*key) != name) listing.foreign[*std::move(key)].push_back(name);
  }
  for (auto& [key, spellings] : listing.foreign) std::sort(spellings.begin(), spellings.end());
  return listing;
}

std::shared_ptr<const FileDirectory::Listing> FileDirectory::listing() const {
  const auto modified = modified_ns();
  const std::lock_guard lock(mutex_);
  if (!modified) {
    listing_ = std::make_shared<const Listing>();
    return listing_;
  }
  const bool unchanged = listing_ && listing_->modified_ns == *modified;
  if (!unchanged || !listing_->settled) {
    const std::int64_t others_modified = unchanged ? listing_->others_modified_ns : *modified;
    listing_ = std::make_shared<const Listing>(read_listing(*modified, others_modified));
  }
  return listing_;
}

/// Whether a name that exists is the key's own, and not another key's that the directory takes for the same.
bool FileDirectory::spells(const Listing& listing, std::string_view name, std::string_view key) const {
  const auto actual = listing.by_folded.find(file_name::folded(name));
  return actual == listing.by_folded.end() || file_name::decode(actual->second, hidden_) == key;
}

std::vector<std::string> FileDirectory::candidates(std::string_view key) const {
  const auto listed = listing();
  std::vector<std::string> names;
  std::string canonical = file_name::encode(key);
  if (spells(*listed, canonical, key)) names.push_back(canonical);
  if (const auto foreign = listed->foreign.find(key); foreign != listed->foreign.end()) {
    for (const std::string& name : foreign->second) {
      const bool one_file = !listed->by_folded.empty() && file_name::folded(name) == file_name::folded(canonical);
      if (!one_file) names.push_back(name);
    }
  }
  return names;
}

std::optional<FileDirectory::Location> FileDirectory::locate(std::string_view key) const {
  std::string canonical = file_name::encode(key);
  const FileKind kind = status_of(*seams_.ops, path_ / canonical).kind;
  if (kind != FileKind::absent && !ignores_case()) return Location{std::move(canonical), kind};
  for (std::string& name : candidates(key)) {
    const FileKind found = status_of(*seams_.ops, path_ / name).kind;
    if (found != FileKind::absent) return Location{std::move(name), found};
  }
  return std::nullopt;
}

std::vector<std::string> FileDirectory::names_of(std::string_view key) const {
  std::vector<std::string> names;
  for (std::string& name : candidates(key)) {
    const FileKind kind = status_of(*seams_.ops, path_ / name).kind;
    require_regular(path_ / name, kind);
    if (kind != FileKind::absent) names.push_back(std::move(name));
  }
  return names;
}

std::optional<File> FileDirectory::open(const Location& location) const {
  require_regular(path_ / location.name, location.kind);
  // What took the name since we looked is neither followed nor waited for.
  auto file = open_existing(seams_.ops, path_ / location.name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (file) require_regular(file->path(), file->status().kind);
  return file;
}

std::vector<std::string> FileDirectory::keys() const {
  std::vector<std::string> keys;
  if (!exists()) return keys;
  for (const std::string& name : list_directory(*seams_.ops, path_)) {
    if (auto key = file_name::decode(name, hidden_)) keys.push_back(*std::move(key));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

void FileDirectory::check_case(std::string_view key) const {
  if (!ignores_case()) return;
  const auto listed = listing();
  const std::string name = file_name::encode(key);
  if (!spells(*listed, name, key)) {
    throw ConflictError({.key = std::string(key),
                         .problem = path_.string() + " ignores case, and holds \"" +
                                    listed->by_folded.at(file_name::folded(name)) + "\""});
  }
}

void FileDirectory::remove(std::string_view name) {
  remove_file(*seams_.ops, path_ / name);
}

std::filesystem::path FileDirectory::temporary_path() const {
  return path_ / (std::string(file_name::own_prefix) + "tmp-" + std::to_string(++temporaries_));
}

FileDirectory::OwnChange::OwnChange(FileDirectory& directory) : directory_(directory) {
  const auto modified = directory_.modified_ns();
  const std::lock_guard lock(directory_.mutex_);
  const auto& listing = directory_.listing_;
  if (listing && listing->modified_ns == modified) kept_ = listing;
}

FileDirectory::OwnChange::~OwnChange() {
  FileStatus status;
  if (!kept_ || directory_.seams_.ops->status(self(directory_.path_), status) < 0) return;  // then it is listed again
  auto listing = std::make_shared<Listing>(*kept_);
  listing->modified_ns = status.modified_ns;
  const std::lock_guard lock(directory_.mutex_);
  if (directory_.listing_ == kept_) directory_.listing_ = std::move(listing);
}

StagedFile::StagedFile(const FileDirectory& directory, ByteView content, Syncing syncing) : StagedFile(directory) {
  create();
  file_->write_at(content, 0);
  if (syncing == Syncing::now) file_->sync();
  file_->close();
}

void StagedFile::create() {
  constexpr unsigned as_the_umask_allows = 0666;
  while (!staged_) {
    path_ = directory_.temporary_path();
    try {
      file_.emplace(directory_.ops(), path_, O_WRONLY | O_CREAT | O_EXCL, as_the_umask_allows);
      staged_ = true;
    } catch (const IoError& error) {
      if (error.facts().error_number != EEXIST) throw;  // left by somebody: the next name will do
    }
  }
}

StagedFile::~StagedFile() {
  if (staged_) directory_.ops()->remove(path_);  // the next owner sweeps what stays
}

void StagedFile::publish(std::string_view name) {
  rename_file(*directory_.ops(), path_, directory_.path() / name);
  staged_ = false;
}

}  // namespace holdfast
