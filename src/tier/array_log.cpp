#include "tier/array_log.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "holdfast/codec/json.hpp"

namespace holdfast::detail {

namespace {

/// The array that `bytes` spell.   Errors: CorruptionError that names `where`.
Json parse_array(ByteView bytes, const std::string& where) {
  try {
    Json json = parse_json(as_text(bytes));
    if (json.is_array()) return json;
  } catch (const CodecError& error) {
    std::throw_with_nested(CorruptionError({.where = where,
                                            .offset_bytes = error.facts().offset_bytes,
                                            .want = "a JSON array",
                                            .got = std::to_string(bytes.size()) + " bytes that are not JSON"}));
  }
  throw CorruptionError(
      {.where = where, .want = "a JSON array", .got = std::to_string(bytes.size()) + " bytes of another JSON value"});
}

/// The elements of one array, each as the bytes of its canonical text.
class ArrayCursor final : public LogCursor {
 public:
  ArrayCursor(Json array, std::string key, const LogScanOptions& options)
      : array_(std::move(array)), key_(std::move(key)), bucket_(options.bucket), reverse_(options.reverse) {
    const std::uint64_t size = array_.size();
    if (reverse_) {
      last_ = options.after ? std::min(size, std::max<std::uint64_t>(*options.after, 1) - 1) : size;
    } else {
      first_ = std::min(size, options.after.value_or(0));
      last_ = size;
    }
    if (options.limit && *options.limit < last_ - first_) {
      (reverse_ ? first_ : last_) = reverse_ ? last_ - *options.limit : first_ + *options.limit;
    }
  }

  std::optional<RawLogEntry> next() override {
    if (first_ == last_) return std::nullopt;
    const std::uint64_t at = reverse_ ? --last_ : first_++;
    RawLogEntry entry{.sequence = at + 1, .bucket = bucket_, .key = key_};
    append_canonical(array_[static_cast<std::size_t>(at)], entry.value);
    return entry;
  }

 private:
  Json array_;
  std::string key_;
  std::optional<std::string> bucket_;
  bool reverse_;
  std::uint64_t first_ = 0;  // the positions left to give: [first_, last_)
  std::uint64_t last_ = 0;
};

}  // namespace

ArrayLogCore::ArrayLogCore(std::shared_ptr<CommitUnit> unit, std::string name, Cadence cadence, const LogShape& shape)
    : LogCore(std::move(unit), std::move(name), cadence), mode_(shape.mode), buckets_(shape.buckets) {
  if (shape.codec != "json") {
    throw OptionError({.option = "form", .problem = "array needs a codec that writes JSON"});
  }
}

void ArrayLogCore::check(const RawLogEntry& entry) const {
  check_key(entry.bucket.value_or(name()));
  check_value(entry.value);
}

std::string ArrayLogCore::where(const std::string& key) const {
  return "array log key \"" + key + "\" in " + backend().name();
}

const std::string& ArrayLogCore::key_of(const Pending::Append& append) const {
  return append.bucket ? *append.bucket : name();
}

ArrayLogCore::Stored ArrayLogCore::read_array(const std::string& key) const {
  Stored stored{.bytes = backend().read(key)};
  if (!stored.bytes) return stored;
  stored.has_elements = !parse_array(*stored.bytes, where(key)).empty();
  stored.open_bytes = as_text(*stored.bytes).rfind(']');
  return stored;
}

std::uint64_t ArrayLogCore::prepare() {
  std::set<std::string> keys;
  {
    const auto lock = unit().lock_pending();
    for (const auto& append : in_flight().appends) keys.insert(key_of(append));
  }
  stored_.clear();
  for (const std::string& key : keys) stored_[key] = mode_ == ArrayMode::append ? read_array(key) : Stored{};

  std::uint64_t stored = 0;
  const auto lock = unit().lock_pending();
  for (const Attempt& attempt : attempts_) {
    for (const auto& [key, digest] : attempt.written) {
      const auto found = stored_.find(key);
      if (found == stored_.end() || !found->second.bytes) continue;
      if (sha256(*found->second.bytes) == digest) stored = std::max(stored, attempt.number);
    }
  }
  attempts_.clear();
  return stored;
}

void ArrayLogCore::assemble(std::uint64_t attempt, WriteBatch& batch) {
  std::map<std::string, Bytes> arrays;
  for (auto& append : in_flight().appends) {
    if (append.first_attempt == 0) append.first_attempt = attempt;
    const std::string& key = key_of(append);
    const auto [array, fresh] = arrays.try_emplace(key);
    Bytes& text = array->second;
    const Stored& stored = stored_.find(key)->second;
    if (fresh && stored.bytes) {
      text.assign(stored.bytes->begin(), stored.bytes->begin() + static_cast<std::ptrdiff_t>(stored.open_bytes));
    } else if (fresh) {
      holdfast::append(text, "[");
    }
    if (!fresh || stored.has_elements) holdfast::append(text, ",");
    holdfast::append(text, ByteView(append.value));
  }

  Attempt made{.number = attempt};
  for (auto& [key, text] : arrays) {
    holdfast::append(text, "]");
    if (mode_ == ArrayMode::append) {
      const auto& bytes = stored_.find(key)->second.bytes;
      if (bytes) {
        batch.require_value(key, *bytes);
      } else {
        batch.require_absent(key);
      }
      made.written.emplace(key, sha256(text));
    }
    batch.put(key, std::move(text));
  }
  if (!made.written.empty()) attempts_.push_back(std::move(made));
}

void ArrayLogCore::written(std::uint64_t /*attempt*/) {
  stored_.clear();
  attempts_.clear();
}

bool ArrayLogCore::has_moved() {
  if (mode_ == ArrayMode::overwrite) return false;
  return std::any_of(stored_.begin(), stored_.end(),
                     [this](const auto& item) { return backend().read(item.first) != item.second.bytes; });
}

std::unique_ptr<LogCursor> ArrayLogCore::scan(const LogScanOptions& options) const {
  if (buckets_ && !options.bucket) {
    throw OptionError(
        {.option = "bucket", .problem = "must name one: the array form keeps each under a key of its own"});
  }
  if (!buckets_ && options.bucket) {
    throw OptionError({.option = "bucket", .problem = "this log has none: it was made without key_of"});
  }
  const std::string& key = options.bucket ? *options.bucket : name();
  const auto bytes = backend().read(key);
  Json array = bytes ? parse_array(*bytes, where(key)) : Json::array();
  return std::make_unique<ArrayCursor>(std::move(array), key, options);
}

std::uint64_t ArrayLogCore::last_sequence() const {
  throw UnsupportedError({.capability = "last_sequence of the array form", .where = name()});
}

void ArrayLogCore::truncate_before(std::uint64_t /*sequence*/) {
  throw UnsupportedError({.capability = "truncate_before of the array form", .where = name()});
}

}  // namespace holdfast::detail
