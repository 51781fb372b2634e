#include "tier/entry_log.hpp"

#include <array>
#include <limits>

#include "tier/log_scan.hpp"

namespace holdfast::detail {

EntryLogCore::EntryLogCore(std::shared_ptr<CommitUnit> unit, std::string name, Cadence cadence,
                           std::shared_ptr<const Entropy> entropy)
    : LogCore(std::move(unit), std::move(name), cadence), keys_(this->name()), entropy_(std::move(entropy)) {
  if (!entropy_) throw OptionError({.option = "entropy", .problem = "must not be null"});
}

void EntryLogCore::check(const RawLogEntry& entry) const {
  check_key(keys_.entry(entry.bucket, std::numeric_limits<std::uint64_t>::max()));
  check_value(entry.value);
}

std::unique_ptr<LogCursor> EntryLogCore::scan(const LogScanOptions& options) const {
  return scan_entries(backend(), keys_, options);
}

std::uint64_t EntryLogCore::last_sequence() const {
  return read_head().sequence;
}

EntryLogCore::Head EntryLogCore::read_head() const {
  Head head{.bytes = backend().read(keys_.head())};
  if (head.bytes) head.sequence = decode_head(*head.bytes, keys_.head() + " in " + backend().name()).sequence;
  return head;
}

EntryLogCore::Head EntryLogCore::read_sound_head() const {
  Head head = read_head();
  if (head.bytes || !backend().capabilities().listing) return head;
  const auto entry = scan_entries(backend(), keys_, {.limit = 1})->next();
  if (!entry) return head;
  head = read_head();  // another writer may have begun the log meanwhile
  if (head.bytes) return head;
  throw CorruptionError({.where = keys_.head() + " in " + backend().name(),
                         .want = "the head of a log that has entries",
                         .got = "nothing, beside entry " + entry->key});
}

std::uint64_t EntryLogCore::prepare() {
  std::uint64_t cut = 0;
  {
    const auto lock = unit().lock_pending();
    cut = in_flight().truncate_before;
  }
  truncation_ = cut != 0 ? keys_before(cut) : std::vector<std::string>();
  if (head_) return 0;
  Head head = read_sound_head();
  std::uint64_t stored = 0;
  const auto lock = unit().lock_pending();
  for (const Attempt& attempt : attempts_) {
    if (attempt.head.bytes == head.bytes) stored = attempt.number;
  }
  attempts_.clear();
  head_ = std::move(head);
  return stored;
}

void EntryLogCore::assemble(std::uint64_t attempt, WriteBatch& batch) {
  if (in_flight().truncate_before != 0) {  // unless rolled back since
    for (const std::string& key : truncation_) batch.erase(key);
  }
  auto& appends = in_flight().appends;
  if (appends.empty()) return;
  if (appends.size() > std::numeric_limits<std::uint64_t>::max() - head_->sequence) {
    throw LimitError({.limit = "entries of a log",
                      .maximum = std::numeric_limits<std::uint64_t>::max() - head_->sequence,
                      .actual = appends.size(),
                      .unit = "entries",
                      .where = name()});
  }
  std::uint64_t sequence = head_->sequence;
  for (auto& append : appends) {
    if (append.first_attempt == 0) append.first_attempt = attempt;
    batch.put(keys_.entry(append.bucket, ++sequence), ByteView(append.value));
  }
  Bytes head = encode_head({.sequence = sequence, .attempt = new_attempt_mark()});
  if (head_->bytes) {
    batch.require_value(keys_.head(), *head_->bytes);
  } else {
    batch.require_absent(keys_.head());
  }
  batch.put(keys_.head(), ByteView(head));
  attempts_.push_back({.number = attempt, .head = {.bytes = std::move(head), .sequence = sequence}});
}

void EntryLogCore::written(std::uint64_t attempt) {
  if (!attempts_.empty() && attempts_.back().number == attempt) {
    head_ = std::move(attempts_.back().head);
  } else {
    head_.reset();  // rolled back while it was being written, or no entry was: what is stored must be seen
  }
  attempts_.clear();
}

bool EntryLogCore::has_moved() {
  if (read_head().bytes == head_->bytes) return false;
  head_.reset();
  return true;
}

std::string EntryLogCore::new_attempt_mark() const {
  std::array<std::byte, 8> mark{};
  entropy_->fill(mark);
  return to_hex(mark);
}

std::vector<std::string> EntryLogCore::keys_before(std::uint64_t sequence) const {
  std::vector<std::string> keys;
  const auto cursor = scan_entry_keys(backend(), keys_);
  while (auto entry = cursor->next()) {
    if (entry->sequence >= sequence) break;
    keys.push_back(std::move(entry->key));
  }
  return keys;
}

void EntryLogCore::truncate_before(std::uint64_t sequence) {
  if (!unit().alone()) {
    if (!backend().capabilities().listing) {  // or no flush of the group could ever succeed again
      throw UnsupportedError({.capability = "truncate_before", .where = backend().name()});
    }
    // What is appended until the flush is not meant, nor what a flush that is tried again has stored meanwhile.
    const std::uint64_t stored = last_sequence();
    Pending fresh;
    fresh.accepted = 1;
    fresh.truncate_before = sequence > stored ? stored + 1 : sequence;
    accept(std::move(fresh));
    return;
  }
  WriteBatch batch;
  for (const std::string& key : keys_before(sequence)) batch.erase(key);
  if (!batch.empty()) unit().apply_now(batch);
}

}  // namespace holdfast::detail
