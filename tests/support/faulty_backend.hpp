#pragma once

#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::testing {

/// Another backend whose calls fail as told, with IoError: before the inner call, or after it took effect, as a
/// machine does that loses the acknowledgement. Reads through its snapshots and scans in progress do not fail.
/// Threads: all methods may be called at once.
class FaultyBackend final : public StorageBackend {
 public:
  enum class Operation { view, scan, erase, apply, snapshot, flush };
  enum class Moment { before, after };

  struct Call {
    Operation operation{};
    std::string_view key{};             ///< of view and erase; the prefix of scan
    const WriteBatch* batch = nullptr;  ///< of apply (and write, which is an apply)
    std::size_t number = 0;             ///< from 1, over all operations, since the last heal() or fail_*()
  };
  using Predicate = std::function<bool(const Call&)>;

  explicit FaultyBackend(std::shared_ptr<StorageBackend> inner) : inner_(std::move(inner)) {}

  /// From now on every call that matches fails. `matches` runs under no lock: it may call this backend, or wait.
  void fail_when(Predicate matches, Moment moment = Moment::before, int error_number = EIO) {
    const std::lock_guard lock(mutex_);
    matches_ = std::move(matches);
    moment_ = moment;
    error_number_ = error_number;
    calls_ = 0;
  }
  /// The `number`th call from now on fails, 1 being the next; all others succeed.
  void fail_call(std::size_t number, Moment moment = Moment::before, int error_number = EIO) {
    fail_when([number](const Call& call) { return call.number == number; }, moment, error_number);
  }
  /// Every call of that kind fails from now on.
  void fail_every(Operation operation, Moment moment = Moment::before, int error_number = EIO) {
    fail_when([operation](const Call& call) { return call.operation == operation; }, moment, error_number);
  }
  /// Nothing fails from now on.
  void heal() { fail_when(nullptr); }

  /// Calls since the last heal() or fail_*().
  [[nodiscard]] std::size_t calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override {
    return run({.operation = Operation::view, .key = key}, [&] { return inner_->view(key, use); });
  }
  [[nodiscard]] Scan scan(ScanOptions options) const override {
    return run({.operation = Operation::scan, .key = options.prefix}, [&] { return inner_->scan(options); });
  }
  bool erase(std::string_view key) override {
    return run({.operation = Operation::erase, .key = key}, [&] { return inner_->erase(key); });
  }
  void apply(const WriteBatch& batch) override {
    run({.operation = Operation::apply, .batch = &batch}, [&] {
      inner_->apply(batch);
      return true;
    });
  }
  [[nodiscard]] std::unique_ptr<const BackendSnapshot> snapshot() const override {
    return run({.operation = Operation::snapshot}, [&] { return inner_->snapshot(); });
  }
  void flush() override {
    run({.operation = Operation::flush}, [&] {
      inner_->flush();
      return true;
    });
  }
  [[nodiscard]] Capabilities capabilities() const noexcept override { return inner_->capabilities(); }
  [[nodiscard]] std::string name() const override { return "faulty:" + inner_->name(); }

 private:
  struct Verdict {
    bool fails = false;
    Moment moment = Moment::before;
    int error_number = 0;
  };

  template <class Work>
  std::invoke_result_t<Work> run(Call call, Work work) const {
    const Verdict verdict = judge(call);
    if (verdict.fails && verdict.moment == Moment::before) fail(call, verdict);
    auto result = work();
    if (verdict.fails) fail(call, verdict);
    return result;
  }

  Verdict judge(Call& call) const {
    Predicate matches;
    Verdict verdict;
    {
      const std::lock_guard lock(mutex_);
      call.number = ++calls_;
      matches = matches_;
      verdict = {.moment = moment_, .error_number = error_number_};
    }
    verdict.fails = matches && matches(call);
    return verdict;
  }

  [[noreturn]] void fail(const Call& call, const Verdict& verdict) const {
    static constexpr const char* names[] = {"view", "scan", "erase", "apply", "snapshot", "flush"};
    throw IoError({.operation = names[static_cast<std::size_t>(call.operation)],
                   .path = name(),
                   .error_number = verdict.error_number});
  }

  std::shared_ptr<StorageBackend> inner_;
  mutable std::mutex mutex_;
  Predicate matches_;
  Moment moment_ = Moment::before;
  int error_number_ = EIO;
  mutable std::size_t calls_ = 0;
};

}  // namespace holdfast::testing
