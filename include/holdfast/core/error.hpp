#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "holdfast/core/export.hpp"

namespace holdfast {

/// Every failure that holdfast reports. One leaf per reaction an application can have; each carries its facts, and a
/// message that says what was attempted, then what happened: `[holdfast.201] state/000012: ...`.
/// A miss is never an error: it is an empty std::optional, or false.
/// Messages hold keys, paths, lengths and digests, never the content of a value.
class HOLDFAST_API Error : public std::runtime_error {
 public:
  /// Stable across releases; the hundreds name the leaf. Shown at the head of what().
  [[nodiscard]] int code() const noexcept { return code_; }

 protected:
  Error(int code, const std::string& message);

 private:
  int code_;
};

/// The operating system refused: free the disk, mend the permissions, look at the cable. Code 101.
class HOLDFAST_API IoError : public Error {
 public:
  struct Facts {
    std::string operation{};       ///< the system call or its purpose: "rename", "sync"
    std::filesystem::path path{};  ///< what it was applied to
    int error_number = 0;          ///< errno
  };
  explicit IoError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// Stored bytes are not what was written. Nothing was changed; the damage is still there to be examined. Code 201.
class HOLDFAST_API CorruptionError : public Error {
 public:
  struct Facts {
    std::string where{};                          ///< file, table and key, as precisely as known
    std::optional<std::uint64_t> offset_bytes{};  ///< position in `where`, when there is one
    std::string want{};                           ///< what a sound store has there
    std::string got{};                            ///< what was found: lengths, digests, never content
  };
  explicit CorruptionError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// A value cannot be encoded, or bytes do not decode as the type asked for. Code 301.
class HOLDFAST_API CodecError : public Error {
 public:
  struct Facts {
    std::string codec{};                          ///< the codec's name: "json", "raw", "ordered"
    std::string problem{};                        ///< what it could not do
    std::optional<std::uint64_t> offset_bytes{};  ///< position in the input, when decoding
  };
  explicit CodecError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// A precondition did not hold: somebody else was first. Nothing was changed; read again and decide. Code 401.
class HOLDFAST_API ConflictError : public Error {
 public:
  struct Facts {
    std::string key{};      ///< the key whose state was not as required
    std::string problem{};  ///< what was required
  };
  explicit ConflictError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// A documented maximum was exceeded. Nothing was changed. Code 501.
class HOLDFAST_API LimitError : public Error {
 public:
  struct Facts {
    std::string limit{};        ///< the limit's name: "max_key_bytes"
    std::uint64_t maximum = 0;  ///< what is allowed
    std::uint64_t actual = 0;   ///< what was asked for
    std::string unit{};         ///< "bytes", "levels", "tables"
    std::string where{};        ///< the backend, table or file concerned; may be empty
  };
  explicit LimitError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// This implementation cannot do that, now or ever; capabilities() tells beforehand. Code 601.
class HOLDFAST_API UnsupportedError : public Error {
 public:
  struct Facts {
    std::string capability{};  ///< what was asked for: "scan", "binary keys"
    std::string where{};       ///< who lacks it
  };
  explicit UnsupportedError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// What an object is, when a call finds it in no state to serve.
enum class State {
  closed = 701,        ///< it was closed, or its transaction has ended
  poisoned = 702,      ///< an earlier failure left its state unknown: close it and open it again
  in_use = 703,        ///< another owner holds it
  foreign = 704,       ///< not one of ours: another program's file, another store's table, another thread's transaction
  newer_format = 705,  ///< written by a later version, or needing a feature this one lacks
  would_deadlock = 706,  ///< the call would wait for its own caller
  read_only = 707,       ///< opened for reading only
  mismatched = 708,      ///< options or codecs contradict those it was opened or created with
  remote = 709,          ///< lies on a file system whose locks and mappings cannot be trusted
  forked = 710,          ///< belongs to the process that this one was forked from: open the store anew
};

/// The object is in no state to do that. Codes 701 to 710, by state.
class HOLDFAST_API StateError : public Error {
 public:
  struct Facts {
    State state = State::closed;
    std::string where{};    ///< the object: a path, a tier's name
    std::string problem{};  ///< what was attempted and why it cannot be
  };
  explicit StateError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// Why stored state cannot be brought back.
enum class RestoreReason {
  checkpoint_missing = 901,  ///< there are frames, and no checkpoint to start from
  checkpoint_damaged = 902,  ///< the checkpoint is not what was written
  frame_damaged = 903,       ///< a frame that was acknowledged is not what was written
  frame_missing = 904,       ///< a frame that was acknowledged, or that later ones follow, is gone
  chain_broken = 905,        ///< a frame is sound and does not follow the one before it
  last_damaged = 906,        ///< the record of the last frame cannot be read, or contradicts that frame
  newer_format = 907,        ///< written by a later version
  not_retained = 908,        ///< nothing that old is kept any more
};

/// Stored state cannot be brought back as asked. What was to be restored into is as it was. Codes 901 to 908, by
/// reason.
class HOLDFAST_API RestoreError : public Error {
 public:
  struct Facts {
    RestoreReason reason = RestoreReason::frame_damaged;
    std::optional<std::uint64_t> seq{};  ///< the sequence number concerned
    std::string where{};                 ///< the graph and the backend
    std::string problem{};               ///< what was found there
  };
  explicit RestoreError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

/// An option has a value that cannot be used; thrown by constructors before anything is touched. Code 801.
class HOLDFAST_API OptionError : public Error {
 public:
  struct Facts {
    std::string option{};   ///< the field's name
    std::string problem{};  ///< what is wrong with its value
  };
  explicit OptionError(Facts facts);
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }

 private:
  Facts facts_;
};

}  // namespace holdfast
