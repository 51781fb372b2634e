#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/sha256.hpp"

/// The lines of a dump (FORMAT.md): words that begin a section or end it, and entries; bytes in them are
/// percent-encoded. The last line is the digest of all lines before it.
namespace holdfast::detail {

inline constexpr std::string_view dump_first_line = "holdfast-dump 1";

class DumpWriter {
 public:
  explicit DumpWriter(std::ostream& out) : out_(out) {}

  void line(std::string_view text);
  /// `key=value`.
  void entry(ByteView key, ByteView value);
  /// The digest; nothing may follow. Errors of every call: IoError.
  void end();

 private:
  void write(std::string_view text);
  void write_encoded(ByteView bytes);

  std::ostream& out_;
  Sha256 hash_;
};

class DumpReader {
 public:
  /// A line; `words` is empty for an entry. Views until the next line is read.
  struct Line {
    std::vector<std::string> words{};
    Bytes key{};
    Bytes value{};
  };

  explicit DumpReader(std::istream& in) : in_(in) {}

  /// Reads the first line. Errors: StateError{foreign, newer_format}; as next().
  void begin();
  /// The next line. After the digest's, which is verified, the words are `sha256` alone and the input is at its end.
  /// Errors: CorruptionError; IoError.
  const Line& next();
  [[nodiscard]] std::uint64_t offset_bytes() const noexcept { return offset_bytes_; }
  [[noreturn]] void throw_damage(std::string want, std::string got) const;

 private:
  [[nodiscard]] int get();
  /// Decodes up to a byte that cannot stand in encoded text, and returns it.
  int read_encoded(Bytes& out, std::uint64_t most_bytes);
  void read_words(int delimiter);
  void read_digest();

  std::istream& in_;
  Sha256 hash_;
  std::string unhashed_;
  Line line_;
  std::uint64_t offset_bytes_ = 0;
};

}  // namespace holdfast::detail
