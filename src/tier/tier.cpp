#include "holdfast/tier/tier.hpp"

#include <limits>

#include "holdfast/tier/commit_group.hpp"
#include "tier/commit_unit.hpp"
#include "tier/tier_core.hpp"

namespace holdfast {

namespace detail {

void throw_undecodable(const StorageBackend& backend, std::string_view key, const CodecError& error) {
  CodecError::Facts facts = error.facts();
  facts.problem = "the value of key \"" + std::string(key) + "\" in " + backend.name() + ": " + facts.problem;
  std::throw_with_nested(CodecError(std::move(facts)));
}

TierCore::TierCore(std::shared_ptr<CommitUnit> unit, std::string name, Cadence cadence)
    : unit_(std::move(unit)), name_(std::move(name)), cadence_(cadence) {
  if (cadence_.compact_every == 0U) {
    throw OptionError({.option = "compact_every", .problem = "must be above 0; leave it out for no cadence"});
  }
}

void TierCore::accept(Pending&& fresh) {
  if (fresh.empty()) return;
  if (unit_->accept(*this, std::move(fresh))) unit_->flush();
}

void TierCore::check_key(const std::string& key) const {
  const Capabilities capabilities = backend().capabilities();
  if (key.size() > capabilities.max_key_bytes) {
    throw LimitError({.limit = "max_key_bytes",
                      .maximum = capabilities.max_key_bytes,
                      .actual = key.size(),
                      .unit = "bytes",
                      .where = backend().name()});
  }
  if (!capabilities.binary_keys && !is_utf8(key)) {
    throw UnsupportedError({.capability = "binary keys", .where = backend().name()});
  }
  // Escapes can make a key longer, at most threefold. Only the backend knows by how much: it refuses to look.
  if (key.size() <= capabilities.max_key_bytes / 3) return;
  try {
    backend().view(key, [](ByteView) {});
  } catch (const LimitError&) {
    throw;
  } catch (const UnsupportedError&) {
    throw;
  } catch (const Error&) {
    // Not about the key: what is stored under it could not be read. Thrown from here the write would not be pending,
    // and the caller could not tell; the flush will meet it if it matters.
  }
}

void TierCore::check_value(const Bytes& value) const {
  const std::uint64_t maximum = backend().capabilities().max_value_bytes;
  if (value.size() > maximum) {
    throw LimitError({.limit = "max_value_bytes",
                      .maximum = maximum,
                      .actual = value.size(),
                      .unit = "bytes",
                      .where = backend().name()});
  }
}

}  // namespace detail

TierHome::TierHome(std::shared_ptr<StorageBackend> backend, Alone /*alone*/)
    : unit_(std::make_shared<detail::CommitUnit>(std::move(backend), detail::CommitUnit::Kind::alone)) {}

TierHome::TierHome(const CommitGroup& group) : unit_(group.unit_) {}

const std::shared_ptr<detail::CommitUnit>& Tier::unit_of(const TierHome& home) {
  return home.unit_;
}

void Tier::start(std::shared_ptr<detail::TierCore> core) {
  core_ = std::move(core);
  core_->unit().join(core_);
}

void Tier::flush() {
  core_->unit().flush();
}

void Tier::rollback() {
  core_->unit().rollback({core_});
}

bool Tier::has_pending() const {
  return core_->unit().has_pending(*core_);
}

const std::string& Tier::name() const noexcept {
  return core_->name();
}

const std::shared_ptr<StorageBackend>& Tier::backend() const noexcept {
  return core_->unit().backend();
}

detail::Cadence Tier::cadence() const noexcept {
  return core_->cadence();
}

}  // namespace holdfast
