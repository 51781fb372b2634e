// Judging frames on their stored text (FORMAT.md).
#include "holdfast/wal/verify.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "holdfast/core/error.hpp"
#include "wal/json_members.hpp"

namespace holdfast {
namespace {

using detail::JsonMembers;

enum Field { t, lifecycle, path, change, frame_seq, frame_t_ns, checksum, format_version, chain, field_count };
constexpr std::array<std::string_view, field_count> field_names = {
    "t", "lifecycle", "path", "change", "frame_seq", "frame_t_ns", "checksum", "format_version", "chain"};
constexpr std::size_t hashed_count = 6;  // the first ones

using Fields = std::array<std::string_view, field_count>;

std::size_t field_named(std::string_view name) noexcept {
  return static_cast<std::size_t>(std::find(field_names.begin(), field_names.end(), name) - field_names.begin());
}

/// Sorts the members into `fields`, and those that are hashed, as stored, into `body`.
bool sort_members(std::string_view stored, Fields& fields, std::string& body) {
  std::vector<std::string_view> others;
  JsonMembers members(stored);
  for (;;) {
    switch (members.next()) {
      case JsonMembers::Step::malformed: return false;
      case JsonMembers::Step::end: body += body.empty() ? "{}" : "}"; return true;
      case JsonMembers::Step::member: break;
    }
    if (members.name.find('\\') != std::string_view::npos) return false;
    const std::size_t field = field_named(members.name);
    if (field == field_count) {
      if (std::find(others.begin(), others.end(), members.name) != others.end()) return false;
      others.push_back(members.name);
      continue;
    }
    if (!fields[field].empty()) return false;
    fields[field] = members.value;
    if (field < hashed_count) {
      body += body.empty() ? '{' : ',';
      body += members.member;
    }
  }
}

/// The digest that 64 lower-case hexadecimal digits between quotes spell.
std::optional<Digest> digest_in(std::string_view text) noexcept {
  Digest digest{};
  if (text.size() != 2 * digest.size() + 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = digit(text[1 + 2 * i]);
    const int low = digit(text[2 + 2 * i]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::byte>(high * 16 + low);
  }
  return digest;
}

std::optional<Lifecycle> lifecycle_in(std::string_view text) noexcept {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  return lifecycle_named(text.substr(1, text.size() - 2));
}

FrameCheck fault(FrameFault fault, std::string_view problem) noexcept {
  return {.fault = fault, .problem = problem};
}

/// Everything but the digest.
FrameCheck read_fields(const Fields& fields) noexcept {
  for (std::size_t field = 0; field <= checksum; ++field) {
    if (fields[field].empty()) return fault(FrameFault::malformed, "a member is missing");
  }
  if (fields[t] != "\"c\"") return fault(FrameFault::foreign, "its t is not \"c\"");
  const auto kind = lifecycle_in(fields[lifecycle]);
  const auto seq = detail::unsigned_in(fields[frame_seq]);
  const auto t_ns = detail::unsigned_in(fields[frame_t_ns]);
  const auto sum = digest_in(fields[checksum]);
  const auto version = fields[format_version].empty() ? 1 : detail::unsigned_in(fields[format_version]);
  const auto link = digest_in(fields[chain]);
  if (!kind || !seq || !t_ns || !sum || !version || (!link && !fields[chain].empty()) || fields[path].front() != '"' ||
      fields[change].front() != '{') {
    return fault(FrameFault::malformed, "a member is of another type");
  }
  return {.fault = FrameFault::none,
          .frame = {.lifecycle = *kind,
                    .path = fields[path],
                    .change = fields[change],
                    .frame_seq = *seq,
                    .frame_t_ns = *t_ns,
                    .format_version = *version,
                    .checksum = *sum,
                    .chain = link}};
}

}  // namespace

FrameCheck verify_frame(std::string_view stored) {
  thread_local std::string body;
  body.clear();
  Fields fields{};
  if (stored.empty()) return fault(FrameFault::malformed, "empty");
  if (!sort_members(stored, fields, body)) return fault(FrameFault::malformed, "not a JSON object without white space");
  FrameCheck check = read_fields(fields);
  if (!check.sound()) return check;
  if (sha256(as_bytes(body)) != check.frame.checksum) {
    return fault(FrameFault::mismatch, "its checksum is not that of its body");
  }
  if (check.frame.format_version != 1) {
    const bool newer = check.frame.format_version > 1;
    check.fault = newer ? FrameFault::newer_format : FrameFault::malformed;
    check.problem = newer ? "written by a later version" : "format_version 0";
  }
  return check;
}

std::optional<ChangeView> view_change(std::string_view text) try {
  ChangeView view;
  std::array<std::string_view, 6> fields{};
  constexpr std::array<std::string_view, 6> names = {"structure", "version", "t_ns", "lifecycle", "change", "seq"};
  JsonMembers members(text);
  for (auto step = members.next(); step != JsonMembers::Step::end; step = members.next()) {
    if (step == JsonMembers::Step::malformed) return std::nullopt;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] != members.name) continue;
      if (!fields[i].empty()) return std::nullopt;
      fields[i] = members.value;
    }
  }
  auto structure = detail::string_in(fields[0]);
  const auto number = detail::unsigned_in(fields[1]);
  auto name = number ? std::nullopt : detail::string_in(fields[1]);
  const auto t_ns = detail::unsigned_in(fields[2]);
  const auto kind = lifecycle_in(fields[3]);
  if (!structure || (!number && !name) || !t_ns || !kind || fields[4].empty()) return std::nullopt;
  if (!fields[5].empty()) {
    view.seq = detail::unsigned_in(fields[5]);
    if (!view.seq) return std::nullopt;
  }
  view.structure = std::move(*structure);
  if (number) {
    view.version = *number;
  } else {
    view.version = std::move(*name);
  }
  view.t_ns = *t_ns;
  view.lifecycle = *kind;
  view.payload = fields[4];
  return view;
} catch (const CodecError&) {
  return std::nullopt;  // a string that is none
}

}  // namespace holdfast
