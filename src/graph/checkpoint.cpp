#include "holdfast/graph/checkpoint.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "graph/snapshot_text.hpp"
#include "holdfast/core/error.hpp"
#include "wal/json_members.hpp"

namespace holdfast {
namespace {

using detail::JsonMembers;

[[noreturn]] void damaged(std::string want, std::string got) {
  throw CorruptionError({.where = "checkpoint", .want = std::move(want), .got = std::move(got)});
}

/// The digest of the text without its members `checksum` and `chain`; nullopt for a text with white space between
/// tokens, which has no checksum of ours.
std::optional<Digest> checksum_of(std::string_view text) {
  Sha256 hash;
  std::string_view before = "{";
  JsonMembers members(text);
  for (auto step = members.next(); step != JsonMembers::Step::end; step = members.next()) {
    if (step == JsonMembers::Step::malformed) return std::nullopt;
    if (members.name == "checksum" || members.name == "chain") continue;
    hash.update(as_bytes(before)).update(as_bytes(members.member));
    before = ",";
  }
  if (before == "{") hash.update(as_bytes(before));
  return hash.update(as_bytes("}")).finish();
}

/// The text of a member's value; empty where there is none, or white space between tokens.
std::string_view member_text(std::string_view object, std::string_view name) {
  std::string_view found;
  JsonMembers members(object);
  auto step = members.next();
  for (; step == JsonMembers::Step::member; step = members.next()) {
    if (members.name == name) found = members.value;
  }
  return step == JsonMembers::Step::end ? found : std::string_view();
}

std::uint64_t number_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) {
    throw CodecError({.codec = "checkpoint", .problem = std::string(name) + " is missing or no number"});
  }
  return found->get<std::uint64_t>();
}

std::optional<Digest> digest_member(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return std::nullopt;
  const auto* text = found->get_ptr<const std::string*>();
  const auto bytes = text != nullptr ? from_hex(*text) : std::nullopt;
  Digest digest{};
  if (!bytes || bytes->size() != digest.size() || to_hex(*bytes) != *text) {
    damaged("64 lower-case hexadecimal digits as " + std::string(name), "something else");
  }
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

}  // namespace

void CheckpointCodec::encode(const CheckpointRecord& record, Bytes& out) {
  const std::string text = canonical_text({{"format_version", 1},
                                           {"mode", "full"},
                                           {"name", record.snapshot.name},
                                           {"seq", record.seq},
                                           {"snapshot", snapshot_to_json(record.snapshot)},
                                           {"timestamp_ns", record.timestamp_ns}});
  append(out, "{");
  if (record.chain) append(out, "\"chain\":\"" + to_hex(*record.chain) + "\",");
  append(out, "\"checksum\":\"" + to_hex(sha256(as_bytes(text))) + "\",");
  append(out, std::string_view(text).substr(1));
}

CheckpointRecord CheckpointCodec::decode(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  // Its snapshot is read node by node: a tree of all of it would weigh more than the state.
  const std::string_view snapshot = member_text(text, "snapshot");
  Json json = parse_json(snapshot.empty() ? text : detail::outline(text, {snapshot}));
  if (!json.is_object()) throw CodecError({.codec = "checkpoint", .problem = "the text is not an object"});
  if (const auto stored = digest_member(json, "checksum")) {
    const auto found = checksum_of(text);
    if (found != stored) damaged("digest " + to_hex(*stored), found ? to_hex(*found) : "white space between tokens");
  }
  if (json.contains("format_version") && number_in(json, "format_version") != 1) {
    throw StateError({.state = State::newer_format,
                      .where = "checkpoint",
                      .problem = "format_version " + canonical_text(json["format_version"]) + ", 1 is known"});
  }
  if (json.contains("mode") && json["mode"] != "full") {
    throw CodecError({.codec = "checkpoint", .problem = "its mode is not \"full\""});
  }
  if (!json.contains("snapshot")) throw CodecError({.codec = "checkpoint", .problem = "it lacks its snapshot"});
  CheckpointRecord record{.seq = number_in(json, "seq"), .timestamp_ns = number_in(json, "timestamp_ns")};
  record.chain = digest_member(json, "chain");
  record.snapshot =
      snapshot.empty() ? snapshot_from_json(std::move(json["snapshot"])) : detail::snapshot_from_text(snapshot);
  return record;
}

}  // namespace holdfast
