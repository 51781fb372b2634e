#include "db/dump_text.hpp"

#include <algorithm>
#include <cerrno>

#include "core/percent.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast::detail {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t most_word_bytes = 4096;
constexpr std::size_t most_words = 16;
constexpr std::string_view digest_word = "sha256";
constexpr std::string_view dump_name = "holdfast-dump ";
constexpr std::size_t most_first_line_bytes = 64;
constexpr int end_of_input = -1;

constexpr int digit_of(int c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

constexpr bool stands_for_itself(int c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

constexpr bool stands_in_words(int c) noexcept {
  return stands_for_itself(c) || c == '%' || c == '=' || c == '/';
}

std::string shown(int c) {
  if (c == end_of_input) return "the end";
  const auto byte = static_cast<std::byte>(c);
  return "byte " + to_hex(ByteView(&byte, 1));
}

}  // namespace

void DumpWriter::write(std::string_view text) {
  hash_.update(as_bytes(text));
  out_.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out_) throw IoError({.operation = "write", .path = "dump", .error_number = EIO});
}

void DumpWriter::line(std::string_view text) {
  write(text);
  write("\n");
}

void DumpWriter::write_encoded(ByteView bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes)
    write(percent_encode(as_text(bytes.subspan(at, std::min(piece_bytes, bytes.size() - at)))));
}

void DumpWriter::entry(ByteView key, ByteView value) {
  write_encoded(key);
  write("=");
  write_encoded(value);
  write("\n");
}

void DumpWriter::end() {
  const std::string digest = to_hex(hash_.finish());
  line(std::string(digest_word) + " " + digest);
  out_.flush();
  if (!out_) throw IoError({.operation = "flush", .path = "dump", .error_number = EIO});
}

void DumpReader::throw_damage(std::string want, std::string got) const {
  throw CorruptionError(
      {.where = "dump", .offset_bytes = offset_bytes_, .want = std::move(want), .got = std::move(got)});
}

int DumpReader::get() {
  const int c = in_.get();
  if (c == std::istream::traits_type::eof()) {
    if (in_.bad()) throw IoError({.operation = "read", .path = "dump", .error_number = EIO});
    return end_of_input;
  }
  ++offset_bytes_;
  unhashed_.push_back(static_cast<char>(c));
  if (unhashed_.size() < piece_bytes) return c;
  // What the last line begins with stays: it is not part of the digest.
  const std::size_t count = unhashed_.size() - (digest_word.size() + 1);
  hash_.update(as_bytes(std::string_view(unhashed_).substr(0, count)));
  unhashed_.erase(0, count);
  return c;
}

int DumpReader::read_encoded(Bytes& out, std::uint64_t most_bytes) {
  out.clear();
  for (;;) {
    const int c = get();
    if (c != '%' && !stands_for_itself(c)) return c;
    if (out.size() >= most_bytes) throw_damage("at most " + std::to_string(most_bytes) + " bytes", "more");
    if (c != '%') {
      out.push_back(static_cast<std::byte>(c));
      continue;
    }
    const int high = digit_of(get());
    const int low = digit_of(get());
    if (high < 0 || low < 0 || stands_for_itself(high * 16 + low))
      throw_damage("two digits of a byte that must be encoded", "others");
    out.push_back(static_cast<std::byte>(high * 16 + low));
  }
}

void DumpReader::read_words(int delimiter) {
  line_.words.emplace_back(as_text(line_.key));
  while (delimiter != '\n') {
    if (delimiter != ' ') throw_damage("a space or the end of the line", shown(delimiter));
    if (line_.words.size() == most_words) throw_damage("the end of the line", "more words");
    std::string word;
    for (delimiter = get(); stands_in_words(delimiter); delimiter = get()) {
      if (word.size() == most_word_bytes) throw_damage("the end of the word", shown(delimiter));
      word.push_back(static_cast<char>(delimiter));
    }
    line_.words.push_back(std::move(word));
  }
}

void DumpReader::read_digest() {
  unhashed_.resize(unhashed_.size() - (digest_word.size() + 1));
  hash_.update(as_bytes(unhashed_));
  unhashed_.clear();
  const std::string want = to_hex(hash_.finish());
  std::string got;
  for (int c = get(); c != '\n'; c = get()) {
    if (c == end_of_input || got.size() == want.size()) throw_damage("a digest and the end of its line", shown(c));
    got.push_back(static_cast<char>(c));
  }
  if (got != want) throw_damage("digest " + want, got.size() == want.size() ? "another" : "a part of one");
  if (const int c = get(); c != end_of_input) throw_damage("the end of the dump", shown(c));
  line_.words.emplace_back(digest_word);
}

void DumpReader::begin() {
  std::string first;
  int c = get();
  for (; c != end_of_input && c != '\n' && first.size() < most_first_line_bytes; c = get())
    first.push_back(static_cast<char>(c));
  if (c == '\n' && first == dump_first_line) return;
  const bool later = c == '\n' && first.starts_with(dump_name) &&
                     first.find_first_not_of("0123456789", dump_name.size()) == std::string::npos;
  if (later)
    throw StateError({.state = State::newer_format, .where = "dump", .problem = "its first line is \"" + first + "\""});
  if (!dump_first_line.starts_with(first.substr(0, dump_first_line.size())))
    throw StateError({.state = State::foreign, .where = "dump", .problem = "not a dump of a store"});
  throw_damage(std::string(dump_first_line), "another first line");
}

const DumpReader::Line& DumpReader::next() {
  line_.words.clear();
  const int delimiter = read_encoded(line_.key, limits::max_key_bytes);
  if (delimiter == '=') {
    const int end = read_encoded(line_.value, limits::max_value_bytes);
    if (end != '\n') throw_damage("the end of the line", shown(end));
    return line_;
  }
  if (delimiter == ' ' && as_text(line_.key) == digest_word) {
    read_digest();
    return line_;
  }
  read_words(delimiter);
  return line_;
}

}  // namespace holdfast::detail
