#include "db/backup_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <utility>

#include "db/meta_pages.hpp"
#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

constexpr std::string_view magic = "holdfast-backup\n";
constexpr std::uint64_t version = 1;
constexpr std::size_t head_bytes = 32;
constexpr std::size_t piece_bytes = 256 * 1024;

Bytes head(std::uint64_t page_count) {
  Bytes bytes = to_bytes(magic);
  append(bytes, ByteView(little_endian(version)));
  append(bytes, ByteView(little_endian(page_count)));
  return bytes;
}

}  // namespace

Bytes BackupSeal::finish(std::uint64_t page_count) {
  Bytes bytes = head(page_count);
  hash_.update(bytes);
  append(bytes, ByteView(hash_.finish()));
  return bytes;
}

BackupFile::BackupFile(const std::filesystem::path& path, std::shared_ptr<FileOps> ops)
    : BackupFile(File(std::move(ops), path, O_RDONLY | O_NONBLOCK)) {}  // a FIFO is refused, not waited for

BackupFile::BackupFile(File file) : file_(std::move(file)) {
  const FileStatus status = file_.status();
  const auto refuse = [&](State state, std::string problem) {
    throw StateError({.state = state, .where = file_.path().string(), .problem = std::move(problem)});
  };
  if (status.kind != FileKind::regular) refuse(State::foreign, "not a regular file");
  const auto damage = [&](std::string want, std::string got) {
    throw CorruptionError({.where = file_.path().string(), .want = std::move(want), .got = std::move(got)});
  };
  Bytes found(head_bytes);
  if (status.size_bytes >= BackupSeal::size_bytes) file_.read_at(found, status.size_bytes - BackupSeal::size_bytes);
  if (!as_text(found).starts_with(magic)) {
    if (sound_meta_pages(file_).empty()) refuse(State::foreign, "not a backup of a store");
    damage("the end of a backup", "a file that was cut, or was not made by backup()");
  }
  const auto found_version = from_little_endian<std::uint64_t>(ByteView(found).subspan(magic.size(), 8));
  if (found_version > version) refuse(State::newer_format, "a backup of version " + std::to_string(found_version));
  page_count_ = from_little_endian<std::uint64_t>(ByteView(found).subspan(magic.size() + 8, 8));
  pages_bytes_ = status.size_bytes - BackupSeal::size_bytes;
  const std::uint64_t page_bytes = page_count_ == 0 ? 0 : pages_bytes_ / page_count_;
  if (page_bytes == 0 || page_bytes * page_count_ != pages_bytes_)
    damage(std::to_string(page_count_) + " pages", std::to_string(pages_bytes_) + " bytes");
}

Outcome BackupFile::read(const LongWork& work, FunctionRef<void(ByteView)> take) const {
  BackupSeal seal;
  Bytes piece;
  const std::uint64_t page_bytes = pages_bytes_ / page_count_;
  for (std::uint64_t at = 0; at < pages_bytes_; at += piece.size()) {
    if (work.stop.stop_requested()) return Outcome::stopped;
    if (work.on_progress) work.on_progress({.done = at / page_bytes, .total = page_count_});
    piece.resize(std::min<std::uint64_t>(piece_bytes, pages_bytes_ - at));
    if (file_.read_at(piece, at) != piece.size())
      throw CorruptionError({.where = file_.path().string(),
                             .offset_bytes = at,
                             .want = std::to_string(piece.size()) + " bytes",
                             .got = "the end of the file"});
    seal.add(piece);
    take(piece);
  }
  Bytes stored(BackupSeal::size_bytes);
  file_.read_at(stored, pages_bytes_);
  const Bytes computed = seal.finish(page_count_);
  if (computed == stored) return Outcome::finished;
  throw CorruptionError({.where = file_.path().string(),
                         .want = "digest " + to_hex(ByteView(stored).subspan(head_bytes)),
                         .got = to_hex(ByteView(computed).subspan(head_bytes))});
}

}  // namespace holdfast::detail
