#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "holdfast/codec/json.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/sha256.hpp"

namespace holdfast {

/// What a change is about: the shape of a graph, the values in it, or who owns a part of it.
enum class Lifecycle { spec, data, ownership };

/// "spec", "data" or "ownership".
[[nodiscard]] HOLDFAST_API std::string_view name_of(Lifecycle lifecycle) noexcept;
[[nodiscard]] HOLDFAST_API std::optional<Lifecycle> lifecycle_named(std::string_view name) noexcept;

/// What happened, in the words of the structure it happened to.
struct Change {
  std::string structure{};                             ///< who understands `payload`: "graph.spec", "graph.value"
  std::variant<std::uint64_t, std::string> version{};  ///< of the structure: a counter, or a content id
  std::uint64_t t_ns = 0;                              ///< when, nanoseconds since 1970
  std::optional<std::uint64_t> seq{};                  ///< position in the structure's own log; attach never sets it
  Lifecycle lifecycle = Lifecycle::data;
  Json payload{};  ///< stored as `change`
  bool operator==(const Change&) const = default;
};

/// One change as a write-ahead log keeps it: a JSON object with a SHA-256 over everything that matters.
/// Shape: src/wal/FORMAT.md.
struct WalFrame {
  Lifecycle lifecycle = Lifecycle::data;
  std::string path{};  ///< of the node, segments joined by "::"; may be empty
  Change change{};
  std::uint64_t frame_seq = 0;       ///< position in the log; orders replay
  std::uint64_t frame_t_ns = 0;      ///< when it was written, nanoseconds since 1970
  std::uint32_t format_version = 1;  ///< not hashed
  std::optional<Digest> chain{};     ///< next_chain() of the frame before and this one's checksum; not hashed
  bool operator==(const WalFrame&) const = default;
};

/// A frame whose payload is text already: what the log's writer hands to append_frame, so that no tree is built.
struct FrameText {
  Lifecycle lifecycle = Lifecycle::data;
  std::string_view path{};
  std::string_view structure{};
  std::string_view payload{};  ///< canonical JSON; nobody checks it
  std::uint64_t t_ns = 0;      ///< of the change and of the frame
  std::uint64_t frame_seq = 0;
};

/// What a stored frame is bound by.
struct FrameSeal {
  Digest checksum{};
  Digest chain{};
};

/// The digest that binds the fields of a frame.   Errors: CodecError for what JSON cannot say.
[[nodiscard]] HOLDFAST_API Digest frame_checksum(const WalFrame& frame);

/// The bytes that are stored: canonical JSON of all fields, checksum included.   Errors: as frame_checksum.
[[nodiscard]] HOLDFAST_API Bytes encode_frame(const WalFrame& frame);

/// The frame that `stored` is, verified.
/// Errors: CorruptionError when it is not what was written; StateError{newer_format}.
[[nodiscard]] HOLDFAST_API WalFrame decode_frame(ByteView stored);

/// Appends the stored form of `frame`, version 1, chained to `previous`, to `out`.
/// Errors: CodecError for a path or structure that is not UTF-8.   Cost: one pass over the text, two digests.
HOLDFAST_API FrameSeal append_frame(const FrameText& frame, const Digest& previous, Bytes& out);

/// The chain of a frame with that checksum after one with the chain `previous` (all zero before the first).
[[nodiscard]] HOLDFAST_API Digest next_chain(const Digest& previous, const Digest& checksum);

/// `<graph>/wal/`: what every frame key of that graph begins with. With the slash, or "g" would find those of "g2".
[[nodiscard]] HOLDFAST_API std::string wal_prefix(std::string_view graph);

/// `<graph>/wal/<frame_seq as 20 digits>`: byte order is numeric order.
[[nodiscard]] HOLDFAST_API std::string frame_key(std::string_view graph, std::uint64_t frame_seq);

/// 20 decimal digits, leading zeros included.
[[nodiscard]] HOLDFAST_API std::string sequence_digits(std::uint64_t seq);

/// `prefix` and those.
[[nodiscard]] HOLDFAST_API std::string sequence_key(std::string_view prefix, std::uint64_t seq);

/// The number that exactly 20 digits spell; nullopt for anything else, and for what 64 bits do not hold.
[[nodiscard]] HOLDFAST_API std::optional<std::uint64_t> parse_sequence_digits(std::string_view digits) noexcept;

/// Whether `a` is replayed before `b`: by frame_seq alone, whatever the lifecycle.
[[nodiscard]] inline bool replay_order(const WalFrame& a, const WalFrame& b) noexcept {
  return a.frame_seq < b.frame_seq;
}

}  // namespace holdfast
