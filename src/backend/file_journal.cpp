#include "backend/file_journal.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/sha256.hpp"

namespace holdfast {
namespace {

constexpr std::string_view magic = "holdfast journal";
constexpr std::uint32_t format_version = 1;
constexpr std::size_t version_at = 16;
constexpr std::size_t count_at = 20;
constexpr std::size_t body_bytes_at = 24;
constexpr std::size_t digest_at = 32;
constexpr std::size_t header_bytes = 64;
enum class Kind : std::uint8_t { put = 1, erase = 2 };

Digest digest_of(ByteView head, ByteView body) {
  return Sha256().update(head).update(body).finish();
}

/// Takes the body apart; every length is checked against what is there.
class BodyReader {
 public:
  BodyReader(ByteView body, const std::filesystem::path& where) : rest_(body), where_(where) {}

  template <class Integer>
  Integer integer() {
    return from_little_endian<Integer>(take(sizeof(Integer)));
  }
  ByteView take(std::uint64_t count) {
    if (count > rest_.size()) fail("an entry of " + std::to_string(count) + " more bytes");
    const ByteView taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(taken.size());
    at_ += taken.size();
    return taken;
  }
  [[noreturn]] void fail(std::string got) const {
    throw CorruptionError({.where = where_.string(),
                           .offset_bytes = header_bytes + at_,
                           .want = "a journal entry",
                           .got = std::move(got)});
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  ByteView rest_;
  const std::filesystem::path& where_;
  std::size_t at_ = 0;
};

void check_header(ByteView stored, const std::filesystem::path& where) {
  if (stored.size() < header_bytes) {
    throw CorruptionError({.where = where.string(),
                           .want = "a journal header of " + std::to_string(header_bytes) + " bytes",
                           .got = std::to_string(stored.size()) + " bytes"});
  }
  if (as_text(stored.first(magic.size())) != magic) {
    throw CorruptionError({.where = where.string(), .offset_bytes = 0, .want = "a journal", .got = "other bytes"});
  }
  const auto version = from_little_endian<std::uint32_t>(stored.subspan(version_at));
  if (version > format_version) {
    throw StateError({.state = State::newer_format,
                      .where = where.string(),
                      .problem = "journal format " + std::to_string(version) + ", this version knows " +
                                 std::to_string(format_version)});
  }
  const auto body_bytes = from_little_endian<std::uint64_t>(stored.subspan(body_bytes_at));
  if (version == 0 || body_bytes != stored.size() - header_bytes) {
    throw CorruptionError({.where = where.string(),
                           .offset_bytes = body_bytes_at,
                           .want = "a journal of " + std::to_string(body_bytes) + " body bytes",
                           .got = std::to_string(stored.size() - header_bytes)});
  }
}

}  // namespace

Bytes encode_journal(const FileChanges& changes) {
  Bytes body;
  for (const auto& [key, value] : changes) {
    body.push_back(static_cast<std::byte>(value ? Kind::put : Kind::erase));
    append(body, little_endian(static_cast<std::uint32_t>(key.size())));
    append(body, little_endian(static_cast<std::uint64_t>(value ? value->size() : 0)));
    append(body, key);
    if (value) append(body, *value);
  }
  Bytes stored = to_bytes(magic);
  append(stored, little_endian(format_version));
  append(stored, little_endian(static_cast<std::uint32_t>(changes.size())));
  append(stored, little_endian(static_cast<std::uint64_t>(body.size())));
  append(stored, digest_of(stored, body));
  append(stored, body);
  return stored;
}

FileChanges decode_journal(ByteView stored, const std::filesystem::path& where) {
  check_header(stored, where);
  const ByteView body = stored.subspan(header_bytes);
  const ByteView digest = stored.subspan(digest_at, header_bytes - digest_at);
  const Digest actual = digest_of(stored.first(digest_at), body);
  if (!equal(digest, actual)) {
    throw CorruptionError({.where = where.string(),
                           .offset_bytes = digest_at,
                           .want = "digest " + to_hex(digest),
                           .got = to_hex(actual)});
  }
  FileChanges changes;
  BodyReader reader(body, where);
  while (!reader.at_end()) {
    const auto kind = static_cast<Kind>(reader.integer<std::uint8_t>());
    const auto key_bytes = reader.integer<std::uint32_t>();
    const auto value_bytes = reader.integer<std::uint64_t>();
    if (kind != Kind::put && !(kind == Kind::erase && value_bytes == 0)) reader.fail("one of unknown kind");
    std::string key = to_text(reader.take(key_bytes));
    if (!changes.empty() && key <= changes.rbegin()->first) reader.fail("a key out of order");
    auto value = kind == Kind::put ? std::optional(to_bytes(reader.take(value_bytes))) : std::nullopt;
    changes.emplace_hint(changes.end(), std::move(key), std::move(value));
  }
  if (changes.size() != from_little_endian<std::uint32_t>(stored.subspan(count_at))) reader.fail("another count");
  return changes;
}

std::shared_ptr<const FileChanges> PendingJournal::read() const {
  const std::string name(file_name::journal);
  const FileStatus status = status_of(*directory_.ops(), directory_.path() / name);
  const std::lock_guard lock(mutex_);
  std::optional<File> file;
  if (status.kind != FileKind::absent) file = directory_.open({name, status.kind});
  if (!file) {
    seen_ = File();
    changes_ = nullptr;
    return nullptr;
  }
  const FileStatus found = file->status();
  const bool seen_before = changes_ && [&] {
    const FileStatus seen = seen_.status();
    return seen.device == found.device && seen.inode == found.inode;
  }();
  if (!seen_before) {
    changes_ = std::make_shared<const FileChanges>(decode_journal(file->read_all(), file->path()));
    seen_ = *std::move(file);
  }
  return changes_;
}

}  // namespace holdfast
