#include "holdfast/core/error.hpp"

#include <system_error>
#include <utility>

#include "core/printable.hpp"

namespace holdfast {
namespace {

std::string head(const std::string& where) {
  return where.empty() ? std::string() : where + ": ";
}

std::string at(const std::optional<std::uint64_t>& offset_bytes) {
  return offset_bytes ? "at byte " + std::to_string(*offset_bytes) + ": " : std::string();
}

std::string_view name_of(State state) {
  switch (state) {
    case State::closed: return "closed";
    case State::poisoned: return "poisoned";
    case State::in_use: return "in use";
    case State::foreign: return "foreign";
    case State::newer_format: return "newer format";
    case State::would_deadlock: return "would deadlock";
    case State::read_only: return "read-only";
    case State::mismatched: return "mismatched";
    case State::remote: return "remote";
    case State::forked: return "forked";
  }
  return "unknown state";
}

}  // namespace

Error::Error(int code, const std::string& message)
    : std::runtime_error("[holdfast." + std::to_string(code) + "] " + message), code_(code) {}

IoError::IoError(Facts facts)
    : Error(101, facts.path.string() + ": " + facts.operation + ": " +
                     std::generic_category().message(facts.error_number) + " (errno " +
                     std::to_string(facts.error_number) + ")"),
      facts_(std::move(facts)) {}

CorruptionError::CorruptionError(Facts facts)
    : Error(201, head(facts.where) + at(facts.offset_bytes) + facts.want + " expected, " + facts.got + " found"),
      facts_(std::move(facts)) {}

CodecError::CodecError(Facts facts)
    : Error(301, head(facts.codec) + at(facts.offset_bytes) + facts.problem), facts_(std::move(facts)) {}

ConflictError::ConflictError(Facts facts)
    : Error(401, "key " + printable(facts.key) + ": " + facts.problem), facts_(std::move(facts)) {}

LimitError::LimitError(Facts facts)
    : Error(501, head(facts.where) + facts.limit + " is " + std::to_string(facts.maximum) + " " + facts.unit + ", " +
                     std::to_string(facts.actual) + " asked for"),
      facts_(std::move(facts)) {}

UnsupportedError::UnsupportedError(Facts facts)
    : Error(601, head(facts.where) + facts.capability + " is not supported"), facts_(std::move(facts)) {}

StateError::StateError(Facts facts)
    : Error(static_cast<int>(facts.state),
            head(facts.where) + std::string(name_of(facts.state)) + ": " + facts.problem),
      facts_(std::move(facts)) {}

RestoreError::RestoreError(Facts facts)
    : Error(static_cast<int>(facts.reason),
            head(facts.where) + (facts.seq ? "sequence " + std::to_string(*facts.seq) + ": " : std::string()) +
                facts.problem),
      facts_(std::move(facts)) {}

OptionError::OptionError(Facts facts)
    : Error(801, "option " + facts.option + ": " + facts.problem), facts_(std::move(facts)) {}

}  // namespace holdfast
