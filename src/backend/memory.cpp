#include "holdfast/backend/memory.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <utility>

#include "backend/memory_tree.hpp"
#include "core/printable.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/key_range.hpp"

namespace holdfast {
namespace {

using memory_tree::Direction;
using memory_tree::Tree;

MemoryOptions validated(MemoryOptions options) {
  if (options.max_key_bytes > limits::max_key_bytes) {
    throw OptionError(
        {.option = "max_key_bytes", .problem = "more than " + std::to_string(limits::max_key_bytes) + " bytes"});
  }
  if (options.max_value_bytes > limits::max_value_bytes) {
    throw OptionError(
        {.option = "max_value_bytes", .problem = "more than " + std::to_string(limits::max_value_bytes) + " bytes"});
  }
  return options;
}

void check_key(const MemoryOptions& options, std::string_view key) {
  if (key.size() > options.max_key_bytes) {
    throw LimitError({.limit = "max_key_bytes",
                      .maximum = options.max_key_bytes,
                      .actual = key.size(),
                      .unit = "bytes",
                      .where = options.name});
  }
}

void check_value(const MemoryOptions& options, std::string_view key, ByteView value) {
  if (value.size() > options.max_value_bytes) {
    throw LimitError({.limit = "max_value_bytes",
                      .maximum = options.max_value_bytes,
                      .actual = value.size(),
                      .unit = "bytes",
                      .where = options.name + ": key " + printable(key)});
  }
}

void check_limits(const MemoryOptions& options, const WriteBatch& batch) {
  for (const auto& precondition : batch.preconditions()) check_key(options, precondition.key);
  for (const auto& write : batch.writes()) {
    check_key(options, write.key);
    if (write.value) check_value(options, write.key, *write.value);
  }
}

void check_preconditions(const Tree& tree, const WriteBatch& batch) {
  for (const auto& [key, required] : batch.preconditions()) {
    const memory_tree::Node* node = find(tree, key);
    if (!required && node != nullptr) throw ConflictError({.key = key, .problem = "required to be absent"});
    if (required && (node == nullptr || *node->value != *required)) {
      throw ConflictError({.key = key, .problem = "required to hold another value"});
    }
  }
}

/// How many of `writes`, from the first, are puts whose keys ascend.
std::size_t run_length(std::span<const WriteBatch::Write> writes) noexcept {
  std::size_t count = 0;
  while (count < writes.size() && writes[count].value && (count == 0 || writes[count - 1].key < writes[count].key)) {
    ++count;
  }
  return count;
}

class MemoryCursor final : public ScanCursor {
 public:
  MemoryCursor(Tree tree, const ScanOptions& options)
      : walk_(std::move(tree), range_of(options), options.reverse ? Direction::descending : Direction::ascending),
        remaining_(options.limit.value_or(std::numeric_limits<std::size_t>::max())),
        values_(options.values) {}

  bool next(Entry& entry) override {
    const memory_tree::Node* node = remaining_ == 0 ? nullptr : walk_.next();
    if (node == nullptr) return false;
    --remaining_;
    entry.key = node->key;
    if (values_) {
      entry.value = *node->value;
    } else {
      entry.value.clear();
    }
    return true;
  }

 private:
  static KeyRange range_of(const ScanOptions& options) {
    const KeyRange range = KeyRange::with_prefix(options.prefix);
    if (!options.after) return range;
    return options.reverse ? range.before(*options.after) : range.after(*options.after);
  }

  memory_tree::Walk walk_;
  std::size_t remaining_;
  bool values_;
};

/// One version of the content, read by whoever holds it.
class MemorySnapshot final : public BackendReader {
 public:
  MemorySnapshot(Tree tree, std::shared_ptr<const MemoryOptions> options)
      : tree_(std::move(tree)), options_(std::move(options)) {}

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override {
    check_key(*options_, key);
    const memory_tree::Node* node = find(tree_, key);
    if (node == nullptr) return false;
    use(*node->value);
    return true;
  }

  [[nodiscard]] Scan scan(ScanOptions options) const override {
    return Scan(std::make_unique<MemoryCursor>(tree_, options));
  }

 private:
  Tree tree_;
  std::shared_ptr<const MemoryOptions> options_;
};

}  // namespace

struct MemoryBackend::State {
  std::shared_ptr<const MemoryOptions> options;
  std::mutex writing;  ///< held by the one writer, from reading the version it changes to publishing the next
  mutable std::shared_mutex publishing;  ///< guards `published`, for the time of a pointer copy
  Tree published;

  [[nodiscard]] Tree current() const {
    const std::shared_lock lock(publishing);
    return published;
  }
  /// The version before goes to the caller, who lets go of it, and of what only it held, under no reader's lock.
  [[nodiscard]] Tree publish(Tree next) {
    const std::unique_lock lock(publishing);
    return std::exchange(published, std::move(next));
  }
};

MemoryBackend::MemoryBackend(MemoryOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::make_shared<const MemoryOptions>(validated(std::move(options)));
}

MemoryBackend::~MemoryBackend() = default;

bool MemoryBackend::view(std::string_view key, FunctionRef<void(ByteView)> use) const {
  check_key(*state_->options, key);
  const Tree tree = state_->current();
  const memory_tree::Node* node = find(tree, key);
  if (node == nullptr) return false;
  use(*node->value);
  return true;
}

Scan MemoryBackend::scan(ScanOptions options) const {
  return Scan(std::make_unique<MemoryCursor>(state_->current(), options));
}

bool MemoryBackend::erase(std::string_view key) {
  check_key(*state_->options, key);
  Tree before;
  const std::lock_guard lock(state_->writing);
  before = state_->current();
  Tree next = without(before, key);
  if (next == before) return false;
  before = state_->publish(std::move(next));
  return true;
}

void MemoryBackend::apply(const WriteBatch& batch) {
  consume(WriteBatch(batch));
}

void MemoryBackend::consume(WriteBatch&& batch) {
  check_limits(*state_->options, batch);
  Tree before;
  const std::lock_guard lock(state_->writing);
  before = state_->current();
  check_preconditions(before, batch);
  Tree next = before;
  auto writes = batch.release_writes();
  for (memory_tree::Run rest = writes; !rest.empty();) {
    const std::size_t count = run_length(rest);
    next = count > 0 ? with(std::move(next), rest.first(count)) : without(std::move(next), rest.front().key);
    rest = rest.subspan(std::max<std::size_t>(count, 1));
  }
  before = state_->publish(std::move(next));
}

std::unique_ptr<const BackendSnapshot> MemoryBackend::snapshot() const {
  return std::make_unique<MemorySnapshot>(state_->current(), state_->options);
}

void MemoryBackend::flush() {}

Capabilities MemoryBackend::capabilities() const noexcept {
  return {.max_key_bytes = state_->options->max_key_bytes,
          .max_value_bytes = state_->options->max_value_bytes,
          .binary_keys = true,
          .listing = true,
          .persistent = false};
}

std::string MemoryBackend::name() const {
  return state_->options->name;
}

}  // namespace holdfast
