#include <charconv>
#include <set>
#include <utility>

#include "core/percent.hpp"
#include "core/printable.hpp"
#include "db/dump_text.hpp"
#include "db/expiry.hpp"
#include "db/known_seals.hpp"
#include "db/new_place.hpp"
#include "db/store_writer.hpp"
#include "db/stored_key.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/dump.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t entries_between_looks = 1024;  // at the stop token and for progress

bool is_table_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::max_name_bytes && is_utf8(name) && !name.starts_with("holdfast");
}

/// Reads a dump into a data file.
class Load {
 public:
  Load(std::istream& in, const std::filesystem::path& data, const DumpOptions& options)
      : options_(options), text_(in), writer_(data) {
    options.entropy->fill(id_);
  }

  DumpReport run() {
    text_.begin();
    static_cast<void>(field(words("store", 2), 1, "id"));
    bool backend = false;
    for (const auto* line = &text_.next(); line->words != digest_; line = &text_.next()) {
      if (backend) text_.throw_damage("the digest", "another section");
      const bool is_table = !line->words.empty() && line->words[0] == "table";
      backend = line->words == backend_;
      if (!is_table && !backend) text_.throw_damage("a section or the digest", "something else");
      if (is_table) begin_table(line->words);
      if (backend) begin_backend();
      if (!read_entries()) return report_;
    }
    if (!backend) text_.throw_damage("the section of the backend", "the digest");
    writer_.write_meta(id_, catalogue_);
    writer_.finish();
    return report_;
  }

 private:
  using Words = std::vector<std::string>;

  const Words& words(const std::string& first, std::size_t count) {
    const Words& found = text_.next().words;
    if (found.size() != count || found[0] != first) text_.throw_damage("a line \"" + first + "\"", "another");
    return found;
  }

  /// What follows `name=` in a word.
  std::string field(const Words& words, std::size_t index, std::string_view name) const {
    const std::string& word = words[index];
    if (!word.starts_with(name) || word.size() <= name.size() || word[name.size()] != '=')
      text_.throw_damage(std::string(name) + "=", printable(word));
    return word.substr(name.size() + 1);
  }

  template <class Number>
  Number number(const std::string& digits) const {
    Number value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || std::to_string(value) != digits)
      text_.throw_damage("a number", printable(digits));
    return value;
  }

  std::string text(const std::string& encoded) const {
    std::string decoded = percent_decode(encoded);
    if (percent_encode(decoded) != encoded) text_.throw_damage("encoded text", printable(encoded));
    return decoded;
  }

  CodecName codec(const std::string& word) const {
    const std::size_t slash = word.find('/');
    if (slash == std::string::npos) text_.throw_damage("a codec and its version", printable(word));
    return {.name = text(word.substr(0, slash)), .version = number<std::uint32_t>(word.substr(slash + 1))};
  }

  void begin_table(const Words& words) {
    if (words.size() != 7) text_.throw_damage("a table's name and its record", "another line");
    const std::string name = text(field(words, 1, "name"));
    detail::TableRecord record{
        .id = catalogue_.next_table_id,
        .tree = catalogue_.tree_count + 1,
        .flags = number<std::uint64_t>(field(words, 2, "flags")),
        .schema_version = number<std::uint32_t>(field(words, 3, "schema")),
        .codecs = {.key = codec(field(words, 4, "key")), .value = codec(field(words, 5, "value"))},
        .seal = text(field(words, 6, "seal"))};
    if (!is_table_name(name)) text_.throw_damage("the name of a table", printable(name));
    // What this version would not read back it does not write.
    record = detail::decode_table_record(detail::encode_table_record(record), "dump, table " + printable(name));
    if (catalogue_.tables.size() == limits::max_tables)
      throw LimitError({.limit = "max_tables",
                        .maximum = limits::max_tables,
                        .actual = limits::max_tables + 1,
                        .unit = "tables",
                        .where = "dump"});
    if (catalogue_.tables.contains(name)) text_.throw_damage("a table of its own name", printable(name) + " again");
    seal_ = record.seal.empty() ? nullptr : detail::require_seal(record.seal, options_.seals, name);
    table_id_ = record.id;
    expiring_ = record.is_expiring();
    // Number 1 stands for what is loaded: nobody can follow from before it.
    if (record.is_fed()) catalogue_.feed_begun_after = 1;
    writer_.begin_table(record);
    catalogue_.tables.emplace(name, std::move(record));
    ++catalogue_.next_table_id;
    ++catalogue_.tree_count;
    ++report_.tables;
  }

  void begin_backend() {
    seal_ = nullptr;
    expiring_ = false;
    table_id_ = 0;
    writer_.begin_tree(detail::backend_table_name);
  }

  /// Whether they were all read.
  bool read_entries() {
    std::uint64_t entries = 0;
    for (const auto* line = &text_.next();; line = &text_.next()) {
      if (!line->words.empty()) {
        if (line->words.size() != 2 || line->words[0] != "end") text_.throw_damage("an entry or the end", "neither");
        const auto said = number<std::uint64_t>(field(line->words, 1, "entries"));
        if (said != entries) text_.throw_damage(std::to_string(said) + " entries", std::to_string(entries));
        break;
      }
      append(line->key, line->value);
      ++report_.entries;
      if (++entries % entries_between_looks != 0) continue;
      if (options_.work.on_progress)
        options_.work.on_progress({.done = text_.offset_bytes(), .total = text_.offset_bytes()});
      if (!options_.work.stop.stop_requested()) continue;
      report_.outcome = Outcome::stopped;
      return false;
    }
    return true;
  }

  void append(ByteView key, ByteView value) {
    const detail::StoredKey stored(key);
    const ByteView checked = stored.checked();
    if (expiring_) detail::require_indexable(checked);
    if (expiring_ && value.size() < detail::deadline_bytes) text_.throw_damage("a deadline", "a shorter value");
    writer_.append(checked, seal_ ? sealed(key, value) : value);
  }

  ByteView sealed(ByteView key, ByteView value) {
    sealed_.clear();
    if (expiring_) {
      const detail::Dated entry = detail::dated(value);
      const Bytes bound = detail::dated_key(key, entry.deadline);
      holdfast::append(sealed_, value.first(detail::deadline_bytes));
      seal_->seal({.store = id_, .table = table_id_, .key = bound}, entry.value, sealed_);
    } else {
      seal_->seal({.store = id_, .table = table_id_, .key = key}, value, sealed_);
    }
    detail::check_value(sealed_);
    return sealed_;
  }

  const Words digest_{"sha256"};
  const Words backend_{"backend"};
  const DumpOptions& options_;
  detail::DumpReader text_;
  detail::StoreWriter writer_;
  StoreId id_{};
  detail::Catalogue catalogue_;
  std::shared_ptr<const Seal> seal_;
  std::uint64_t table_id_ = 0;
  bool expiring_ = false;  ///< the table
  Bytes sealed_;
  DumpReport report_;
};

}  // namespace

DumpReport load(std::istream& in, const std::filesystem::path& path, const DumpOptions& options) {
  if (!options.entropy) throw OptionError({.option = "entropy", .problem = "is null"});
  detail::NewPlace place(path, system_file_ops(), *options.entropy);
  const DumpReport report = Load(in, place.data(), options).run();
  if (report.outcome == Outcome::finished) place.publish_store();
  return report;
}

}  // namespace holdfast
