#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/entropy.hpp"
#include "holdfast/tier/detail/lazy_range.hpp"
#include "holdfast/tier/tier.hpp"

namespace holdfast {

/// How a log lies in its backend.
enum class LogForm {
  entries,  ///< one key per entry: appending costs the same however long the log is
  array,    ///< one JSON array per bucket, read and rewritten by every flush: GraphReFly's form, to share data with it
};

/// What a flush of the array form does with the array that is there.
enum class ArrayMode {
  append,     ///< adds to it
  overwrite,  ///< replaces it with what this flush holds
};

template <class T>
struct AppendLogOptions {
  std::string name = "log";  ///< stands before the log's keys; not empty, not ending in "/b"
  LogForm form = LogForm::entries;
  ArrayMode mode = ArrayMode::append;             ///< array form only
  bool debounce = false;                          ///< gather writes instead of flushing each
  std::optional<std::size_t> compact_every{};     ///< with debounce: flush when floor(accepted entries / N) changes
  std::function<bool(const T&)> filter{};         ///< false: the entry is not appended, and does not count
  std::function<std::string(const T&)> key_of{};  ///< the entry's bucket; array form: the key of its array
  std::shared_ptr<const Entropy> entropy = system_entropy();  ///< marks attempts to write
};

/// What to scan, oldest entry first.
struct LogScanOptions {
  /// Only entries beyond this one, which need not exist: later, in reverse earlier. The cursor of pages: pass the
  /// sequence of the last entry seen. It stays valid while others append, and after truncation.
  std::optional<std::uint64_t> after{};
  std::optional<std::size_t> limit{};   ///< at most so many entries
  std::optional<std::string> bucket{};  ///< only this bucket, matched exactly
  bool reverse = false;                 ///< newest entry first
};

template <class T>
struct LogEntry {
  std::uint64_t sequence = 0;           ///< from 1; array form: the position in the array
  std::optional<std::string> bucket{};  ///< nullopt for an entry of a log without key_of
  T value;
};

namespace detail {

/// A log entry before it is encoded into its key, or after its key was read.
struct RawLogEntry {
  std::uint64_t sequence = 0;
  std::optional<std::string> bucket{};
  Bytes value{};
  std::string key{};  ///< where it is stored, for messages
};

/// Where a scan of a log stands.
class HOLDFAST_API LogCursor {
 public:
  virtual ~LogCursor() = default;
  [[nodiscard]] virtual std::optional<RawLogEntry> next() = 0;
};

struct LogShape {
  LogForm form = LogForm::entries;
  ArrayMode mode = ArrayMode::append;
  bool buckets = false;
  std::string_view codec{};
  std::shared_ptr<const Entropy> entropy{};
};

/// The part of an append log that knows bytes only.
class HOLDFAST_API AppendLogTierBase : public Tier {
 public:
  /// The sequence of the newest entry ever stored, truncated or not; 0 when there was none.
  /// Errors: CorruptionError when the log's head cannot be read; UnsupportedError in the array form.
  [[nodiscard]] std::uint64_t last_sequence() const;

  /// Erases the entries that are stored now before `sequence`, in one atomic batch; numbers are never used again.
  /// Outside a group it goes through at once; in a group it is pending like an append. Errors: as of the backend;
  /// UnsupportedError in the array form, and where the backend cannot list. Cost:   reads the keys that it erases.
  void truncate_before(std::uint64_t sequence);

 protected:
  AppendLogTierBase(const TierHome& home, std::string name, Cadence cadence, LogShape shape);
  AppendLogTierBase(AppendLogTierBase&&) noexcept = default;
  AppendLogTierBase& operator=(AppendLogTierBase&&) noexcept = default;
  ~AppendLogTierBase() = default;

  void accept(std::vector<RawLogEntry> entries);
  [[nodiscard]] std::unique_ptr<LogCursor> scan_raw(const LogScanOptions& options) const;
};

/// Decodes what a cursor finds.
template <class T, class Codec>
class LogSource {
 public:
  LogSource(std::unique_ptr<LogCursor> cursor, Codec codec, std::shared_ptr<StorageBackend> backend)
      : cursor_(std::move(cursor)), codec_(std::move(codec)), backend_(std::move(backend)) {}

  [[nodiscard]] std::optional<LogEntry<T>> next() {
    auto raw = cursor_->next();
    if (!raw) return std::nullopt;
    T value = decode_stored<T>(codec_, raw->value, *backend_, raw->key);
    return LogEntry<T>{raw->sequence, std::move(raw->bucket), std::move(value)};
  }

 private:
  std::unique_ptr<LogCursor> cursor_;
  Codec codec_;
  std::shared_ptr<StorageBackend> backend_;
};

}  // namespace detail

/// History: entries in the order they were appended, numbered from 1, never renumbered and never changed.
///
/// Shape: entries form: `<name>/e/<sequence as 20 digits>`, or with key_of `<name>/b/<bucket, percent-encoded>/<20
///        digits>`; `<name>/head` keeps the highest number ever given. Any other key is not an entry. Array form: one
///        JSON array under `name`, or under key_of(value).
/// Several writers may append to one log, as several tiers on one backend or several processes on one store: a flush
/// that finds another's numbers takes new ones. Array form: likewise, by rewriting; two writers that append equal
/// entries while one of them fails may see one of the two dropped, for an array has no room for marks.
/// Threads: all methods may be called at once; `filter`, `key_of` and the codec must allow it.   Durable: see Tier.
/// Cost:    a flush writes its entries and the head, whatever the length of the log.
template <class T, class Codec = JsonCodec<T>>
requires CodecFor<Codec, T>
class AppendLogTier : public detail::AppendLogTierBase {
 public:
  using Entries = detail::LazyRange<LogEntry<T>, detail::LogSource<T, Codec>>;

  /// Errors: OptionError when compact_every is 0, the name is empty or ends in "/b", or the form is array and the
  ///         codec does not write JSON.
  explicit AppendLogTier(const TierHome& home, AppendLogOptions<T> options = {}, Codec codec = {})
      : AppendLogTierBase(
            home, std::move(options.name), {options.debounce, options.compact_every},
            {options.form, options.mode, static_cast<bool>(options.key_of), codec.name(), std::move(options.entropy)}),
        filter_(std::move(options.filter)),
        key_of_(std::move(options.key_of)),
        codec_(std::move(codec)) {}

  /// Appends one entry; whether it was accepted: false when `filter` refused it.
  /// Errors: CodecError, LimitError: refused, nothing changed. Errors of a flush: the entry is pending; flush() again,
  ///         do not append it again.
  bool append(const T& value) { return append(std::span<const T>(&value, 1)) == 1; }

  /// Appends all that `filter` accepts, or on a refusal none; how many. They are stored in one batch, in this order.
  std::size_t append(std::span<const T> values) {
    std::vector<detail::RawLogEntry> entries;
    entries.reserve(values.size());
    for (const T& value : values) {
      if (filter_ && !filter_(value)) continue;
      detail::RawLogEntry& entry = entries.emplace_back();
      if (key_of_) entry.bucket = key_of_(value);
      entry.value = detail::encoded(codec_, value);
    }
    const std::size_t count = entries.size();
    accept(std::move(entries));
    return count;
  }

  /// The stored entries: a lazy range over the state of this moment, values read and decoded one by one. Without
  /// `bucket` it merges the buckets by sequence.
  /// Errors: UnsupportedError where the backend cannot list; CodecError or CorruptionError that names the key, for an
  ///         entry that does not decode. Array form with key_of: OptionError when no bucket is named.
  /// Cost:   starts in O(log n) per bucket where the backend does; the array form reads the whole array.
  [[nodiscard]] Entries scan(const LogScanOptions& options = {}) const {
    return Entries(detail::LogSource<T, Codec>(scan_raw(options), codec_, backend()));
  }

 private:
  std::function<bool(const T&)> filter_;
  std::function<std::string(const T&)> key_of_;
  Codec codec_;
};

}  // namespace holdfast
