#include "tier/log_scan.hpp"

#include <utility>
#include <vector>

namespace holdfast::detail {

namespace {

/// The entries of one bucket, or those without one.
class Lane {
 public:
  Lane(Scan scan, std::optional<std::string> bucket, std::size_t prefix_bytes)
      : scan_(std::make_unique<Scan>(std::move(scan))),
        at_(scan_->begin()),
        bucket_(std::move(bucket)),
        prefix_bytes_(prefix_bytes) {
    skip_others();
  }

  /// The sequence of the entry that take() gives next; nullopt at the end. Moves on only now: an error in reading that
  /// entry is no error of the one taken before it, nor of a scan whose limit ends there.
  [[nodiscard]] std::optional<std::uint64_t> sequence() {
    if (taken_) {
      ++at_;
      skip_others();
      taken_ = false;
    }
    return sequence_;
  }

  [[nodiscard]] RawLogEntry take() {
    taken_ = true;
    return {.sequence = *sequence_, .bucket = bucket_, .value = at_->value, .key = at_->key};
  }

 private:
  void skip_others() {
    for (sequence_.reset(); at_ != std::default_sentinel; ++at_) {
      sequence_ = parse_sequence(std::string_view(at_->key).substr(prefix_bytes_));
      if (sequence_) return;
    }
  }

  std::unique_ptr<Scan> scan_;  // stays where it is: its iterator points at it
  Scan::Iterator at_;
  std::optional<std::string> bucket_;
  std::size_t prefix_bytes_;
  std::optional<std::uint64_t> sequence_;
  bool taken_ = false;  // the entry at at_
};

/// Lanes merged by sequence.
class MergedLanes final : public LogCursor {
 public:
  MergedLanes(std::unique_ptr<const BackendSnapshot> snapshot, const LogKeys& keys, const LogScanOptions& options,
              bool values)
      : snapshot_(std::move(snapshot)), left_(options.limit), reverse_(options.reverse) {
    if (options.bucket) {
      add_lane(keys, options.bucket, options, values);
      return;
    }
    add_lane(keys, std::nullopt, options, values);
    for (auto& bucket : buckets(keys)) add_lane(keys, std::move(bucket), options, values);
  }

  std::optional<RawLogEntry> next() override {
    if (left_ == 0U) return std::nullopt;
    Lane* first = nullptr;
    for (Lane& lane : lanes_) {
      if (!lane.sequence()) continue;
      if (first == nullptr ||
          (reverse_ ? *lane.sequence() > *first->sequence() : *lane.sequence() < *first->sequence())) {
        first = &lane;
      }
    }
    if (first == nullptr) return std::nullopt;
    if (left_) --*left_;
    return first->take();
  }

 private:
  void add_lane(const LogKeys& keys, std::optional<std::string> bucket, const LogScanOptions& options, bool values) {
    const std::string prefix = keys.entries(bucket);
    ScanOptions scan{.prefix = prefix, .reverse = options.reverse, .values = values};
    if (options.after) scan.after = prefix + sequence_digits(*options.after);
    lanes_.emplace_back(snapshot_->scan(std::move(scan)), std::move(bucket), prefix.size());
  }

  /// Every bucket, by looking at its first entry and jumping past the rest.
  [[nodiscard]] std::vector<std::string> buckets(const LogKeys& keys) const {
    std::vector<std::string> found;
    std::optional<std::string> after;
    for (;;) {
      std::optional<std::string> bucket;
      Scan scan = snapshot_->scan({.prefix = keys.buckets(), .after = after, .values = false});
      for (const Entry& entry : scan) {
        bucket = keys.bucket_of(entry.key);
        if (bucket) break;
      }
      if (!bucket) return found;
      after = keys.entries(bucket);
      after->back() = '/' + 1;  // above all keys that begin with the bucket and a slash, below all others that follow
      found.push_back(std::move(*bucket));
    }
  }

  std::unique_ptr<const BackendSnapshot> snapshot_;
  std::vector<Lane> lanes_;
  std::optional<std::size_t> left_;
  bool reverse_;
};

}  // namespace

std::unique_ptr<LogCursor> scan_entries(const StorageBackend& backend, const LogKeys& keys,
                                        const LogScanOptions& options) {
  return std::make_unique<MergedLanes>(backend.snapshot(), keys, options, true);
}

std::unique_ptr<LogCursor> scan_entry_keys(const StorageBackend& backend, const LogKeys& keys) {
  return std::make_unique<MergedLanes>(backend.snapshot(), keys, LogScanOptions{}, false);
}

}  // namespace holdfast::detail
