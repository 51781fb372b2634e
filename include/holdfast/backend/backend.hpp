#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/durability.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/core/input_iterator.hpp"
#include "holdfast/core/write_batch.hpp"

namespace holdfast {

/// What a backend can do. Constant for the life of the backend.
struct Capabilities {
  std::size_t max_key_bytes = 0;      ///< for keys of letters and digits; other keys may encode longer
  std::uint64_t max_value_bytes = 0;  ///< longest value
  bool binary_keys = false;           ///< keys need not be UTF-8
  bool listing = false;               ///< scan, keys and snapshot scans work
  bool persistent = false;            ///< what was written outlives the process
};

/// What to scan: keys that begin with `prefix`, in byte order.
struct ScanOptions {
  std::string prefix{};
  std::optional<std::string> after{};  ///< start beyond this key, which need not exist: above it, in reverse below it
  std::optional<std::size_t> limit{};  ///< at most so many entries
  bool reverse = false;                ///< greatest key first
  bool values = true;                  ///< false leaves Entry::value empty and, where it can, unread
};

struct Entry {
  std::string key{};
  Bytes value{};
  bool operator==(const Entry&) const = default;
};

/// Where a scan stands. Implemented by backends.
class HOLDFAST_API ScanCursor {
 public:
  virtual ~ScanCursor() = default;
  /// Moves to the next entry and writes it over `entry`, reusing its memory; false at the end, again and again.
  /// Errors: as of the backend; after one, the cursor throws it again: an error is never the end.
  virtual bool next(Entry& entry) = 0;
};

/// The entries of a scan: a lazy, single-pass input range over one snapshot.
/// `*it` is valid until `++it`. Threads: one at a time; it may move between threads. It keeps its backend alive.
class HOLDFAST_API Scan {
 public:
  using value_type = Entry;
  using Iterator = InputIterator<Scan>;

  explicit Scan(std::unique_ptr<ScanCursor> cursor) noexcept : cursor_(std::move(cursor)) {}

  /// Reads the first entry. Once per scan.
  [[nodiscard]] Iterator begin() {
    advance();
    return Iterator(this);
  }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  friend Iterator;
  void advance() { ended_ = !cursor_->next(entry_); }
  [[nodiscard]] const Entry* current() const noexcept { return ended_ ? nullptr : &entry_; }

  std::unique_ptr<ScanCursor> cursor_;
  Entry entry_;
  bool ended_ = false;
};

/// The reading half, shared by backends and their snapshots.
/// Threads: all methods may be called at once.
class HOLDFAST_API BackendReader {
 public:
  virtual ~BackendReader() = default;

  /// Lends the value of `key` to `use`, only during the call; false, and no call, when absent. `use` must not call
  /// back into the backend. Its exception passes unchanged.   Cost: no copy where the backend holds values in memory.
  virtual bool view(std::string_view key, FunctionRef<void(ByteView)> use) const = 0;

  /// A copy of the value; nullopt when absent. An empty value is not absent.
  [[nodiscard]] virtual std::optional<Bytes> read(std::string_view key) const;

  /// Errors: UnsupportedError where the backend cannot list.
  /// Cost: memory and LMDB start in O(log n); files list their directory once.
  [[nodiscard]] virtual Scan scan(ScanOptions options) const = 0;

  /// A scan that reads no values.
  [[nodiscard]] Scan keys(std::string_view prefix = {}) const;
};

/// The state at one moment, whatever is written later. Cheap to take, not free to keep: the backend retains what it
/// shows. Threads: all methods may be called at once. It keeps its backend alive.
using BackendSnapshot = BackendReader;

/// Bytes by key, durable according to the backend's Durability when a write returns.
///
/// Keys are byte strings in byte order; "" is a key. Absent, empty and corrupt are three answers: nullopt, empty
/// bytes, CorruptionError. Errors of every call: IoError; LimitError for a key or value beyond capabilities();
/// UnsupportedError for a key that is not UTF-8 where binary_keys is false; StateError.
/// Threads: all methods may be called at once.
class HOLDFAST_API StorageBackend : public BackendReader {
 public:
  /// Replaces the value of `key`.
  virtual void write(std::string_view key, ByteView value);
  /// Whether there was a value to erase.
  virtual bool erase(std::string_view key) = 0;
  /// All of the batch or nothing, also after a crash. Errors: ConflictError when a precondition does not hold.
  virtual void apply(const WriteBatch& batch) = 0;
  /// As apply, and takes what it can use of the batch's memory: a backend that holds values in memory copies none.
  virtual void consume(WriteBatch&& batch);
  /// The state of this moment. O(1).
  [[nodiscard]] virtual std::unique_ptr<const BackendSnapshot> snapshot() const = 0;
  /// Makes everything written so far survive power loss, whatever the Durability.
  virtual void flush() = 0;
  [[nodiscard]] virtual Capabilities capabilities() const noexcept = 0;
  /// What it is, for messages and humans: "memory", "file:/var/lib/app".
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace holdfast
