#include "holdfast/wal/frame.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "codec/json_text.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/wal/verify.hpp"
#include "wal/json_members.hpp"

namespace holdfast {
namespace {

constexpr std::array<std::string_view, 3> lifecycle_names = {"spec", "data", "ownership"};
constexpr std::size_t sequence_width = 20;

/// Decimal digits.
class NumberText {
 public:
  explicit NumberText(std::uint64_t number) noexcept
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  [[nodiscard]] std::string_view view() const noexcept {
    return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, sequence_width> digits_{};
  char* end_;
};

/// What stands between the quotes of `text` as a canonical JSON string; in `scratch` where it is not `text` itself.
std::string_view string_content(std::string_view text, std::string& scratch) {
  if (plain_ascii_run(text) == text.size()) return text;
  scratch = canonical_text(Json(std::string(text)));
  return std::string_view(scratch).substr(1, scratch.size() - 2);
}

using Pieces = std::initializer_list<std::string_view>;

std::size_t bytes_of(Pieces pieces) noexcept {
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  return bytes;
}

/// Writes over bytes that are there already; returns where it ended.
std::byte* write_pieces(Pieces pieces, std::byte* at) noexcept {
  for (const std::string_view piece : pieces) at = std::copy(as_bytes(piece).begin(), as_bytes(piece).end(), at);
  return at;
}

/// 64 lower-case hexadecimal digits.
class HexText {
 public:
  explicit HexText(Digest digest) noexcept {
    for (std::size_t i = 0; i < digest.size(); ++i) {
      const auto byte = std::to_integer<std::uint8_t>(digest[i]);
      digits_[2 * i] = digit(byte >> 4U);
      digits_[2 * i + 1] = digit(byte & 0x0FU);
    }
  }
  [[nodiscard]] std::string_view view() const noexcept { return {digits_.data(), digits_.size()}; }

 private:
  // Of bytes alone and without a branch, so that compilers do sixteen at once.
  static constexpr char digit(std::uint8_t nibble) noexcept {
    constexpr std::uint8_t to_letters = 'a' - '0' - 10;
    return static_cast<char>(nibble + '0' + (nibble > 9 ? to_letters : 0));
  }

  std::array<char, 2 * sizeof(Digest)> digits_;
};

/// What stands around the change of a frame.
struct Envelope {
  Lifecycle lifecycle = Lifecycle::data;
  std::string_view path{};
  std::uint64_t frame_seq = 0;
  std::string_view frame_t_ns{};
  std::uint32_t format_version = 1;
};

/// Whether room is left in front for the member `chain`.
enum class Chained { no, yes };
constexpr std::string_view chain_begin = "{\"chain\":\"";
constexpr std::size_t chain_bytes = chain_begin.size() + 2 * sizeof(Digest) + 1;  // in the place of the brace: a comma

struct Sealed {
  Digest checksum{};
  std::byte* begin = nullptr;
};

void write_chain(const Digest& chain, const Sealed& sealed) noexcept {
  write_pieces({chain_begin, HexText(chain).view(), "\","}, sealed.begin);
}

/// Appends a frame in its stored form, members in canonical order; the change is `change`, piece after piece.
/// Cost: one allocation, one digest. The body is hashed where it stands, before the other members come in between.
Sealed append_sealed(Pieces change, const Envelope& envelope, Chained chained, Bytes& out) {
  constexpr std::string_view begin = "{\"change\":";
  const NumberText frame_seq(envelope.frame_seq);
  std::string scratch;
  const Pieces rest = {",\"frame_seq\":",   frame_seq.view(),
                       ",\"frame_t_ns\":",  envelope.frame_t_ns,
                       ",\"lifecycle\":\"", name_of(envelope.lifecycle),
                       "\",\"path\":\"",    string_content(envelope.path, scratch),
                       "\",\"t\":\"c\"}"};
  constexpr std::string_view checksum_begin = ",\"checksum\":\"";
  constexpr std::string_view version_begin = "\",\"format_version\":";
  const NumberText version(envelope.format_version);
  const std::size_t unhashed_bytes =
      checksum_begin.size() + 2 * sizeof(Digest) + version_begin.size() + version.view().size();

  const std::size_t at = out.size();
  const std::size_t body_at = at + (chained == Chained::yes ? chain_bytes : 0);
  out.resize(body_at + begin.size() + bytes_of(change) + bytes_of(rest) + unhashed_bytes);
  std::byte* const body = out.data() + body_at;
  std::byte* const change_end = write_pieces(change, write_pieces({begin}, body));
  std::byte* const body_end = write_pieces(rest, change_end);
  const Sealed sealed{.checksum = sha256({body, body_end}), .begin = out.data() + at};
  std::copy_backward(change_end, body_end, body_end + unhashed_bytes);
  write_pieces({checksum_begin, HexText(sealed.checksum).view(), version_begin, version.view()}, change_end);
  return sealed;
}

Sealed append_sealed(const WalFrame& frame, Bytes& out) {
  const Change& change = frame.change;
  Json fields = {{"structure", change.structure}, {"t_ns", change.t_ns}, {"change", change.payload}};
  fields["lifecycle"] = std::string(name_of(change.lifecycle));
  std::visit([&fields](const auto& version) { fields["version"] = version; }, change.version);
  if (change.seq) fields["seq"] = *change.seq;
  const NumberText t_ns(frame.frame_t_ns);
  const Envelope envelope{.lifecycle = frame.lifecycle,
                          .path = frame.path,
                          .frame_seq = frame.frame_seq,
                          .frame_t_ns = t_ns.view(),
                          .format_version = frame.format_version};
  return append_sealed({canonical_text(fields)}, envelope, frame.chain ? Chained::yes : Chained::no, out);
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
  Bytes stored;
  return append_sealed(frame, stored).checksum;
}

Bytes encode_frame(const WalFrame& frame) {
  Bytes stored;
  const Sealed sealed = append_sealed(frame, stored);
  if (frame.chain) write_chain(*frame.chain, sealed);
  return stored;
}

FrameSeal append_frame(const FrameText& frame, const Digest& previous, Bytes& out) {
  const NumberText t_ns(frame.t_ns);
  std::string scratch;
  const Pieces change = {"{\"change\":",           frame.payload,         ",\"lifecycle\":\"",
                         name_of(frame.lifecycle), "\",\"structure\":\"", string_content(frame.structure, scratch),
                         "\",\"t_ns\":",           t_ns.view(),           ",\"version\":1}"};
  const Envelope envelope{
      .lifecycle = frame.lifecycle, .path = frame.path, .frame_seq = frame.frame_seq, .frame_t_ns = t_ns.view()};
  const Sealed sealed = append_sealed(change, envelope, Chained::yes, out);
  const FrameSeal seal{.checksum = sealed.checksum, .chain = next_chain(previous, sealed.checksum)};
  write_chain(seal.chain, sealed);
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
  return sequence_key({}, seq);
}

std::string sequence_key(std::string_view prefix, std::uint64_t seq) {
  std::string key;
  key.reserve(prefix.size() + sequence_width);
  key.append(prefix).append(sequence_width, '0');
  for (auto digit = key.rbegin(); seq != 0; seq /= 10) *digit++ = static_cast<char>('0' + seq % 10);
  return key;
}

std::optional<std::uint64_t> parse_sequence_digits(std::string_view digits) noexcept {
  if (digits.size() != sequence_width) return std::nullopt;
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return seq;
}

std::string frame_key(std::string_view graph, std::uint64_t frame_seq) {
  return sequence_key(wal_prefix(graph), frame_seq);
}

}  // namespace holdfast
