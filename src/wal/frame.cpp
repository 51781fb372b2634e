#include "holdfast/wal/frame.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "holdfast/core/error.hpp"
#include "holdfast/wal/verify.hpp"
#include "wal/json_members.hpp"

namespace holdfast {
namespace {

constexpr std::array<std::string_view, 3> lifecycle_names = {"spec", "data", "ownership"};
constexpr std::size_t sequence_width = 20;

void append_number(std::uint64_t number, std::string& out) {
  std::array<char, sequence_width> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_hex(const Digest& digest, Bytes& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::size_t at = out.size();
  out.resize(at + 2 * digest.size());
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(digest[i]);
    out[at + 2 * i] = static_cast<std::byte>(digits[byte >> 4U]);
    out[at + 2 * i + 1] = static_cast<std::byte>(digits[byte & 0x0FU]);
  }
}

/// The hashed body of a frame, in canonical order: `{` change frame_seq frame_t_ns lifecycle path t `}`.
struct Body {
  std::string text{};
  std::size_t change_end = 0;  ///< where the member `change` ends; it begins behind the brace
};

/// Everything of the body behind `change`.
void append_rest(std::uint64_t frame_seq, std::uint64_t frame_t_ns, Lifecycle lifecycle, std::string_view path,
                 Body& body) {
  body.change_end = body.text.size();
  body.text += ",\"frame_seq\":";
  append_number(frame_seq, body.text);
  body.text += ",\"frame_t_ns\":";
  append_number(frame_t_ns, body.text);
  body.text += ",\"lifecycle\":\"";
  body.text += name_of(lifecycle);
  body.text += "\",\"path\":";
  detail::append_json_string(path, body.text);
  body.text += ",\"t\":\"c\"}";
}

Body body_of(const WalFrame& frame) {
  const Change& change = frame.change;
  Json fields = {{"structure", change.structure}, {"t_ns", change.t_ns}, {"change", change.payload}};
  fields["lifecycle"] = std::string(name_of(change.lifecycle));
  std::visit([&fields](const auto& version) { fields["version"] = version; }, change.version);
  if (change.seq) fields["seq"] = *change.seq;
  Body body{.text = "{\"change\":" + canonical_text(fields)};
  append_rest(frame.frame_seq, frame.frame_t_ns, frame.lifecycle, frame.path, body);
  return body;
}

void append_stored(const Body& body, const Digest& checksum, std::uint32_t format_version,
                   const std::optional<Digest>& chain, Bytes& out) {
  constexpr std::size_t other_members_bytes = 224;
  out.reserve(out.size() + body.text.size() + other_members_bytes);
  const std::string_view text = body.text;
  append(out, "{");
  if (chain) {
    append(out, "\"chain\":\"");
    append_hex(*chain, out);
    append(out, "\",");
  }
  append(out, text.substr(1, body.change_end - 1));
  append(out, ",\"checksum\":\"");
  append_hex(checksum, out);
  append(out, "\",\"format_version\":");
  append(out, std::to_string(format_version));
  append(out, text.substr(body.change_end));
}

}  // namespace

std::string_view name_of(Lifecycle lifecycle) noexcept {
  return lifecycle_names[static_cast<std::size_t>(lifecycle)];
}

std::optional<Lifecycle> lifecycle_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < lifecycle_names.size(); ++i) {
    if (lifecycle_names[i] == name) return static_cast<Lifecycle>(i);
  }
  return std::nullopt;
}

Digest frame_checksum(const WalFrame& frame) {
  return sha256(as_bytes(body_of(frame).text));
}

Bytes encode_frame(const WalFrame& frame) {
  const Body body = body_of(frame);
  Bytes out;
  append_stored(body, sha256(as_bytes(body.text)), frame.format_version, frame.chain, out);
  return out;
}

FrameSeal append_frame(const FrameText& frame, const Digest& previous, Bytes& out) {
  thread_local Body body;
  std::string& text = body.text;
  text = "{\"change\":{\"change\":";
  text += frame.payload;
  text += ",\"lifecycle\":\"";
  text += name_of(frame.lifecycle);
  text += "\",\"structure\":";
  detail::append_json_string(frame.structure, text);
  text += ",\"t_ns\":";
  append_number(frame.t_ns, text);
  text += ",\"version\":1}";
  append_rest(frame.frame_seq, frame.t_ns, frame.lifecycle, frame.path, body);
  FrameSeal seal{.checksum = sha256(as_bytes(text))};
  seal.chain = next_chain(previous, seal.checksum);
  append_stored(body, seal.checksum, 1, seal.chain, out);
  return seal;
}

WalFrame decode_frame(ByteView stored) {
  const FrameCheck check = verify_frame(as_text(stored));
  if (check.fault == FrameFault::newer_format) {
    throw StateError({.state = State::newer_format,
                      .where = "WAL frame " + std::to_string(check.frame.frame_seq),
                      .problem = "format_version " + std::to_string(check.frame.format_version) + ", 1 is known"});
  }
  const auto change = check.sound() ? view_change(check.frame.change) : std::nullopt;
  if (!change) {
    throw CorruptionError(
        {.where = "WAL frame",
         .want = "a frame with its checksum",
         .got = check.sound() ? "a change with a member missing or of another type" : std::string(check.problem)});
  }
  const FrameView& frame = check.frame;
  return {.lifecycle = frame.lifecycle,
          .path = detail::string_in(frame.path).value_or(std::string()),
          .change = {.structure = change->structure,
                     .version = change->version,
                     .t_ns = change->t_ns,
                     .seq = change->seq,
                     .lifecycle = change->lifecycle,
                     .payload = parse_json(change->payload)},
          .frame_seq = frame.frame_seq,
          .frame_t_ns = frame.frame_t_ns,
          .format_version = static_cast<std::uint32_t>(frame.format_version),
          .chain = frame.chain};
}

Digest next_chain(const Digest& previous, const Digest& checksum) {
  std::array<std::byte, 2 * sizeof(Digest)> both{};
  std::copy(previous.begin(), previous.end(), both.begin());
  std::copy(checksum.begin(), checksum.end(), both.begin() + sizeof(Digest));
  return sha256(both);
}

std::string wal_prefix(std::string_view graph) {
  return std::string(graph) + "/wal/";
}

std::string sequence_digits(std::uint64_t seq) {
  std::string digits(sequence_width, '0');
  for (std::size_t i = sequence_width; seq != 0; seq /= 10) digits[--i] = static_cast<char>('0' + seq % 10);
  return digits;
}

std::optional<std::uint64_t> parse_sequence_digits(std::string_view digits) noexcept {
  if (digits.size() != sequence_width) return std::nullopt;
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return seq;
}

std::string frame_key(std::string_view graph, std::uint64_t frame_seq) {
  return wal_prefix(graph) + sequence_digits(frame_seq);
}

}  // namespace holdfast
