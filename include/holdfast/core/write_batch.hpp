#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/core/bytes.hpp"

namespace holdfast {

/// Writes that are applied together or not at all: puts and erases in order (the last one on a key wins), and
/// preconditions judged against the state before the batch. A precondition that does not hold makes the whole batch a
/// ConflictError that changes nothing.
/// Threads: one at a time.   Cost: one copy of every key and value put, but for those that are given away.
class WriteBatch {
 public:
  /// A put of `value`, or an erase when there is none.
  struct Write {
    std::string key{};
    std::optional<Bytes> value{};
    bool operator==(const Write&) const = default;
  };
  /// `key` must hold exactly `value`, or be absent when there is none.
  struct Precondition {
    std::string key{};
    std::optional<Bytes> value{};
    bool operator==(const Precondition&) const = default;
  };

  WriteBatch& put(std::string_view key, ByteView value) {
    writes_.push_back({std::string(key), to_bytes(value)});
    return *this;
  }
  WriteBatch& put(std::string_view key, Bytes&& value) {
    writes_.push_back({std::string(key), std::move(value)});
    return *this;
  }
  /// For a key that is given away; a template, so that a literal is no candidate.
  template <std::same_as<std::string> Key>
  WriteBatch& put(Key&& key, Bytes&& value) {
    writes_.push_back({std::move(key), std::move(value)});
    return *this;
  }
  /// Erasing an absent key is no error.
  WriteBatch& erase(std::string_view key) {
    writes_.push_back({std::string(key), std::nullopt});
    return *this;
  }
  WriteBatch& require_absent(std::string_view key) {
    preconditions_.push_back({std::string(key), std::nullopt});
    return *this;
  }
  WriteBatch& require_value(std::string_view key, ByteView value) {
    preconditions_.push_back({std::string(key), to_bytes(value)});
    return *this;
  }

  /// Makes room for so many more writes.
  WriteBatch& reserve(std::size_t count) {
    writes_.reserve(writes_.size() + count);
    return *this;
  }

  /// Everything of `tail`, after everything of this.
  WriteBatch& append(WriteBatch tail) {
    for (auto& write : tail.writes_) writes_.push_back(std::move(write));
    for (auto& precondition : tail.preconditions_) preconditions_.push_back(std::move(precondition));
    return *this;
  }

  [[nodiscard]] const std::vector<Write>& writes() const noexcept { return writes_; }
  /// The writes, which the batch has no longer.
  [[nodiscard]] std::vector<Write> release_writes() noexcept { return std::exchange(writes_, {}); }
  [[nodiscard]] const std::vector<Precondition>& preconditions() const noexcept { return preconditions_; }
  [[nodiscard]] bool empty() const noexcept { return writes_.empty() && preconditions_.empty(); }

 private:
  std::vector<Write> writes_;
  std::vector<Precondition> preconditions_;
};

}  // namespace holdfast
