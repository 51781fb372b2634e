#include "holdfast/backend/sealed.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/printable.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {

/// Seals and opens the values of one backend, each bound to its key.
class detail::ValueOpener {
 public:
  ValueOpener(std::shared_ptr<const Seal> seal, StoreId place_id, std::string backend_name)
      : seal_(std::move(seal)), place_id_(place_id), backend_name_(std::move(backend_name)) {}

  [[nodiscard]] const std::string& backend_name() const noexcept { return backend_name_; }
  [[nodiscard]] std::size_t overhead_bytes() const noexcept { return seal_->overhead_bytes(); }

  [[nodiscard]] Bytes seal(std::string_view key, ByteView value) const {
    Bytes sealed;
    sealed.reserve(value.size() + seal_->overhead_bytes());
    seal_->seal(place_of(key), value, sealed);
    return sealed;
  }

  /// Errors: CorruptionError, saying whose value it is.
  [[nodiscard]] ByteView open(std::string_view key, ByteView sealed, Bytes& scratch) const {
    try {
      return seal_->open(place_of(key), sealed, scratch);
    } catch (const CorruptionError& error) {
      CorruptionError::Facts facts = error.facts();
      facts.where = backend_name_ + ": value of key " + printable(key);
      throw CorruptionError(std::move(facts));
    }
  }

  bool view(const BackendReader& inner, std::string_view key, FunctionRef<void(ByteView)> use) const {
    return inner.view(key, [&](ByteView sealed) {
      Bytes scratch;
      use(open(key, sealed, scratch));
    });
  }

 private:
  [[nodiscard]] Place place_of(std::string_view key) const noexcept {
    return {.store = place_id_, .table = 0, .key = as_bytes(key)};
  }

  std::shared_ptr<const Seal> seal_;
  StoreId place_id_;
  std::string backend_name_;
};

namespace {

using Opener = std::shared_ptr<const detail::ValueOpener>;

/// Opens the values that an inner scan yields.
class SealedCursor final : public ScanCursor {
 public:
  SealedCursor(Scan inner, Opener opener) : inner_(std::move(inner)), opener_(std::move(opener)) {}

  bool next(Entry& entry) override {
    if (failure_) std::rethrow_exception(failure_);
    try {
      if (!step()) return false;
      const ByteView value = opener_->open(position_->key, position_->value, scratch_);
      entry.key = position_->key;
      entry.value.assign(value.begin(), value.end());
      return true;
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
  }

 private:
  bool step() {
    if (!started_) {
      started_ = true;
      position_ = inner_.begin();
    } else if (position_ != Scan::end()) {
      ++position_;
    }
    return position_ != Scan::end();
  }

  Scan inner_;
  Scan::Iterator position_;  // points at inner_, so a cursor stays where it was made
  bool started_ = false;
  Opener opener_;
  Bytes scratch_;
  std::exception_ptr failure_;
};

/// Without values there is nothing to open: keys are stored as they are.
Scan sealed_scan(const BackendReader& inner, ScanOptions options, const Opener& opener) {
  if (!options.values) return inner.scan(std::move(options));
  return Scan(std::make_unique<SealedCursor>(inner.scan(std::move(options)), opener));
}

class SealedSnapshot final : public BackendReader {
 public:
  SealedSnapshot(std::unique_ptr<const BackendSnapshot> inner, Opener opener)
      : inner_(std::move(inner)), opener_(std::move(opener)) {}

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override {
    return opener_->view(*inner_, key, use);
  }
  [[nodiscard]] Scan scan(ScanOptions options) const override {
    return sealed_scan(*inner_, std::move(options), opener_);
  }

 private:
  std::unique_ptr<const BackendSnapshot> inner_;
  Opener opener_;
};

/// Whether a value that `batch` requires of `key` is no longer what is stored.
bool was_replaced(const BackendReader& inner, const WriteBatch& batch, std::string_view key) {
  return std::any_of(batch.preconditions().begin(), batch.preconditions().end(), [&](const auto& required) {
    return required.key == key && required.value && inner.read(key) != required.value;
  });
}

Opener make_opener(const StorageBackend* inner, std::shared_ptr<const Seal> seal, StoreId place_id) {
  if (inner == nullptr) throw OptionError({.option = "inner", .problem = "null"});
  if (!seal) throw OptionError({.option = "seal", .problem = "null"});
  std::string name = inner->name() + " sealed with " + std::string(seal->name());
  return std::make_shared<const detail::ValueOpener>(std::move(seal), place_id, std::move(name));
}

}  // namespace

SealedBackend::SealedBackend(std::shared_ptr<StorageBackend> inner, std::shared_ptr<const Seal> seal, StoreId place_id)
    : inner_(std::move(inner)), opener_(make_opener(inner_.get(), std::move(seal), place_id)) {}

bool SealedBackend::view(std::string_view key, FunctionRef<void(ByteView)> use) const {
  return opener_->view(*inner_, key, use);
}

Scan SealedBackend::scan(ScanOptions options) const {
  return sealed_scan(*inner_, std::move(options), opener_);
}

void SealedBackend::write(std::string_view key, ByteView value) {
  check_value(key, value);
  inner_->write(key, opener_->seal(key, value));
}

bool SealedBackend::erase(std::string_view key) {
  return inner_->erase(key);
}

void SealedBackend::apply(const WriteBatch& batch) {
  while (true) {
    const WriteBatch inner_batch = sealed(batch);
    try {
      inner_->apply(inner_batch);
      return;
    } catch (const ConflictError& conflict) {
      // Replaced since we opened it, perhaps by the same value sealed anew: only opening it again can tell.
      if (!was_replaced(*inner_, inner_batch, conflict.facts().key)) throw;
    }
  }
}

std::unique_ptr<const BackendSnapshot> SealedBackend::snapshot() const {
  return std::make_unique<SealedSnapshot>(inner_->snapshot(), opener_);
}

void SealedBackend::flush() {
  inner_->flush();
}

Capabilities SealedBackend::capabilities() const noexcept {
  Capabilities capabilities = inner_->capabilities();
  capabilities.max_value_bytes -= std::min<std::uint64_t>(capabilities.max_value_bytes, opener_->overhead_bytes());
  return capabilities;
}

std::string SealedBackend::name() const {
  return opener_->backend_name();
}

void SealedBackend::check_value(std::string_view key, ByteView value) const {
  const std::uint64_t maximum = capabilities().max_value_bytes;
  if (value.size() <= maximum) return;
  throw LimitError({.limit = "max_value_bytes",
                    .maximum = maximum,
                    .actual = value.size(),
                    .unit = "bytes",
                    .where = name() + ": key " + printable(key)});
}

/// `batch` as the inner backend is to apply it: values sealed, required values replaced by the stored bytes that open
/// to them. Errors: ConflictError when a key does not hold what is required of it.
WriteBatch SealedBackend::sealed(const WriteBatch& batch) const {
  WriteBatch inner_batch;
  for (const auto& [key, value] : batch.writes()) {
    if (value) {
      check_value(key, *value);
      inner_batch.put(key, opener_->seal(key, *value));
    } else {
      inner_batch.erase(key);
    }
  }
  Bytes scratch;
  for (const auto& [key, required] : batch.preconditions()) {
    if (!required) {
      inner_batch.require_absent(key);
      continue;
    }
    const std::optional<Bytes> stored = inner_->read(key);
    if (!stored || !equal(opener_->open(key, *stored, scratch), *required)) {
      throw ConflictError({.key = key, .problem = "required to hold another value"});
    }
    inner_batch.require_value(key, *stored);
  }
  return inner_batch;
}

}  // namespace holdfast
