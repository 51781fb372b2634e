#include "holdfast/db/dump.hpp"

#include <ostream>
#include <utility>

#include "core/percent.hpp"
#include "db/dump_text.hpp"
#include "db/known_seals.hpp"
#include "db/pinned_snapshot.hpp"
#include "db/store_contents.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast {
namespace {

std::string codec_word(const char* field, const CodecName& codec) {
  return std::string(" ") + field + "=" + percent_encode(codec.name) + "/" + std::to_string(codec.version);
}

std::string table_line(const std::string& name, const detail::TableRecord& record) {
  return "table name=" + percent_encode(name) + " flags=" + std::to_string(record.flags) +
         " schema=" + std::to_string(record.schema_version) + codec_word("key", record.codecs.key) +
         codec_word("value", record.codecs.value) + " seal=" + percent_encode(record.seal);
}

class Dump {
 public:
  Dump(const detail::PageSnapshot& snapshot, std::ostream& out, const DumpOptions& options)
      : snapshot_(snapshot), options_(options), text_(out) {}

  DumpReport run() {
    const detail::StoreContents contents = detail::read_contents(snapshot_);
    text_.line(detail::dump_first_line);
    text_.line("store id=" + to_hex(contents.meta.id));
    for (const auto& [name, record] : contents.catalogue.tables) {
      detail::TreeSource source = contents.source(name, record);
      if (!record.seal.empty()) source.seal = detail::require_seal(record.seal, options_.seals, name);
      text_.line(table_line(name, record));
      if (!write_entries(source)) return stopped();
      ++report_.tables;
    }
    text_.line("backend");
    if (!write_entries(contents.backend())) return stopped();
    text_.end();
    return report_;
  }

 private:
  DumpReport stopped() {
    report_.outcome = Outcome::stopped;
    return report_;
  }

  /// Whether they were all written.
  bool write_entries(const detail::TreeSource& source) {
    std::uint64_t entries = 0;
    const std::set<std::uint64_t> none;
    detail::TreeReader reader(
        snapshot_, source, none,
        [&](const detail::TreeEntry& entry) {
          text_.entry(entry.key, entry.content);
          ++entries;
        },
        [&](const CheckFinding& finding) { detail::throw_finding(snapshot_, finding); });
    std::uint64_t before = 0;
    while (reader.step()) {
      if (options_.work.stop.stop_requested()) return false;
      pages_ += reader.pages() - std::exchange(before, reader.pages());
      if (options_.work.on_progress) options_.work.on_progress({.done = pages_, .total = snapshot_.page_count()});
    }
    text_.line("end entries=" + std::to_string(entries));
    report_.entries += entries;
    return true;
  }

  const detail::PageSnapshot& snapshot_;
  const DumpOptions& options_;
  detail::DumpWriter text_;
  DumpReport report_;
  std::uint64_t pages_ = 0;
};

}  // namespace

DumpReport dump(const Database& db, std::ostream& out, const DumpOptions& options) {
  db.environment()->require_sound();
  const detail::PinnedSnapshot pinned(db.environment());
  return Dump(pinned.pages(), out, options).run();
}

}  // namespace holdfast
