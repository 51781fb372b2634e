#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/core/export.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/wal/frame.hpp"

namespace holdfast {

/// What is wrong with stored bytes that should be a frame.
enum class FrameFault {
  none,
  malformed,     ///< not a frame: torn, empty, not JSON, a member missing, twice, or of another type
  foreign,       ///< its `t` is not "c"
  mismatch,      ///< the checksum is not that of the body
  newer_format,  ///< sound, and written by a later version
};

/// A frame as it lies in its stored text; views into that text.
struct FrameView {
  Lifecycle lifecycle = Lifecycle::data;
  std::string_view path{};    ///< a JSON string, quotes included
  std::string_view change{};  ///< a JSON object
  std::uint64_t frame_seq = 0;
  std::uint64_t frame_t_ns = 0;
  std::uint64_t format_version = 1;
  Digest checksum{};
  std::optional<Digest> chain{};
};

/// Damage is expected in a log's tail, so it is an answer here, no exception.
struct FrameCheck {
  FrameFault fault = FrameFault::malformed;
  std::string_view problem{};  ///< a phrase without any content of the frame
  FrameView frame{};           ///< whole when the fault is none or newer_format
  [[nodiscard]] bool sound() const noexcept { return fault == FrameFault::none; }
};

/// Judges the stored text of a frame. Lexically: the checksum is that of the text as it stands, so frames of writers
/// that print numbers or order keys differently verify too. `chain` is not judged: that takes the frame before.
/// Cost: one pass and one digest; depth is bounded by limits::max_json_depth and costs no stack.
[[nodiscard]] HOLDFAST_API FrameCheck verify_frame(std::string_view stored);

/// The change inside a sound frame.
struct ChangeView {
  std::string structure{};
  std::variant<std::uint64_t, std::string> version{};
  std::uint64_t t_ns = 0;
  std::optional<std::uint64_t> seq{};
  Lifecycle lifecycle = Lifecycle::data;
  std::string_view payload{};  ///< JSON text
};

/// Takes the `change` of a frame apart; nullopt when a member is missing, twice or of another type.
[[nodiscard]] HOLDFAST_API std::optional<ChangeView> view_change(std::string_view change);

}  // namespace holdfast
