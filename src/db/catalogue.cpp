#include "db/catalogue.hpp"

#include <algorithm>

#include "holdfast/core/byte_order.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/sha256.hpp"

namespace holdfast::detail {
namespace {

constexpr std::uint32_t layout_version = 1;
constexpr std::uint64_t known_required_features = 0;
constexpr std::uint64_t known_table_flags = expiring_flag | fed_flag;
constexpr std::uint8_t record_version = 1;

constexpr std::string_view layout_key = "layout";
constexpr std::string_view store_id_key = "store_id";
constexpr std::string_view required_key = "features.required";
constexpr std::string_view optional_key = "features.optional";
constexpr std::string_view change_key = "catalogue.change";
constexpr std::string_view next_id_key = "catalogue.next_id";
constexpr std::string_view tree_count_key = "catalogue.trees";
constexpr std::string_view feed_key = "catalogue.feed";
constexpr std::string_view table_prefix = "table/";

template <class Unsigned>
void append_number(Bytes& out, Unsigned value) {
  append(out, ByteView(little_endian(value)));
}

template <class Unsigned>
Bytes number(Unsigned value) {
  return to_bytes(ByteView(little_endian(value)));
}

void append_text(Bytes& out, std::string_view text) {
  append_number(out, static_cast<std::uint16_t>(text.size()));
  append(out, text);
}

/// Takes numbers and texts off the front of stored bytes.
class Reader {
 public:
  Reader(ByteView bytes, std::string where) : rest_(bytes), size_(bytes.size()), where_(std::move(where)) {}

  ByteView take(std::size_t count) {
    if (rest_.size() < count)
      throw CorruptionError({.where = where_,
                             .offset_bytes = size_ - rest_.size(),
                             .want = std::to_string(count) + " bytes",
                             .got = std::to_string(rest_.size())});
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  template <class Unsigned>
  Unsigned number() {
    return from_little_endian<Unsigned>(take(sizeof(Unsigned)));
  }

  std::string text() { return to_text(take(number<std::uint16_t>())); }

  void end() const {
    if (!rest_.empty())
      throw CorruptionError({.where = where_,
                             .offset_bytes = size_ - rest_.size(),
                             .want = "the end",
                             .got = std::to_string(rest_.size()) + " more bytes"});
  }

 private:
  ByteView rest_;
  std::size_t size_;
  std::string where_;
};

std::string where(const std::filesystem::path& path, std::string_view key) {
  return path.string() + ", " + meta_table_name + ", " + std::string(key);
}

ByteView require(const OrderedView& meta, std::string_view key, const std::filesystem::path& path) {
  const auto found = meta.get(as_bytes(key));
  if (!found) throw CorruptionError({.where = where(path, key), .want = "a record", .got = "none"});
  return *found;
}

template <class Unsigned>
Unsigned read_number(const OrderedView& meta, std::string_view key, const std::filesystem::path& path) {
  const ByteView stored = require(meta, key, path);
  if (stored.size() != sizeof(Unsigned))  // told apart here, as many transactions begin with this
    throw CorruptionError({.where = where(path, key),
                           .want = std::to_string(sizeof(Unsigned)) + " bytes",
                           .got = std::to_string(stored.size())});
  return from_little_endian<Unsigned>(stored);
}

std::uint64_t read_feed_begin(const OrderedView& meta, const std::filesystem::path& path) {
  const auto begun_after = read_number<std::uint64_t>(meta, feed_key, path);
  if (begun_after > last_sequence)
    throw CorruptionError({.where = where(path, feed_key),
                           .want = "at most " + std::to_string(last_sequence),
                           .got = std::to_string(begun_after)});
  return begun_after;
}

/// Of a table's name and record: a flipped bit in either would make it another table.
Digest table_digest(std::string_view name, ByteView record) {
  return Sha256().update(as_bytes(name)).update(record).finish();
}

}  // namespace

std::vector<std::pair<std::string, Bytes>> new_store_meta(const StoreId& id) {
  std::vector<std::pair<std::string, Bytes>> records;
  records.emplace_back(layout_key, number(layout_version));
  records.emplace_back(store_id_key, to_bytes(ByteView(id)));
  records.emplace_back(required_key, number(std::uint64_t{0}));
  records.emplace_back(optional_key, number(std::uint64_t{0}));
  records.emplace_back(change_key, number(std::uint64_t{0}));
  records.emplace_back(next_id_key, number(std::uint64_t{1}));
  records.emplace_back(tree_count_key, number(std::uint64_t{0}));
  return records;
}

StoreMeta read_store_meta(const OrderedView& meta, const std::filesystem::path& path) {
  const auto refuse = [&](std::string problem) {
    throw StateError({.state = State::newer_format, .where = path.string(), .problem = std::move(problem)});
  };
  const auto layout = read_number<std::uint32_t>(meta, layout_key, path);
  if (layout > layout_version)
    refuse("its layout is " + std::to_string(layout) + ", this version reads " + std::to_string(layout_version));
  if (layout == 0) throw CorruptionError({.where = where(path, layout_key), .want = "a layout version", .got = "0"});
  const auto unknown = read_number<std::uint64_t>(meta, required_key, path) & ~known_required_features;
  if (unknown != 0) refuse("it needs features that this version does not know: bits " + std::to_string(unknown));

  StoreMeta result;
  result.optional_features = read_number<std::uint64_t>(meta, optional_key, path);
  Reader reader(require(meta, store_id_key, path), where(path, store_id_key));
  std::ranges::copy(reader.take(result.id.size()), result.id.begin());
  reader.end();
  return result;
}

std::uint64_t read_catalogue_change(const OrderedView& meta, const std::filesystem::path& path) {
  return read_number<std::uint64_t>(meta, change_key, path);
}

Catalogue read_catalogue(const OrderedView& meta, const std::filesystem::path& path) {
  Catalogue catalogue;
  catalogue.change = read_catalogue_change(meta, path);
  catalogue.next_table_id = read_number<std::uint64_t>(meta, next_id_key, path);
  catalogue.tree_count = read_number<std::uint64_t>(meta, tree_count_key, path);
  if (meta.get(as_bytes(feed_key))) catalogue.feed_begun_after = read_feed_begin(meta, path);
  const auto cursor = meta.cursor();
  for (auto item = cursor->seek(as_bytes(table_prefix)); item; item = cursor->next()) {
    const std::string_view key = as_text(item->key);
    if (!key.starts_with(table_prefix)) break;
    const std::string_view name = key.substr(table_prefix.size());
    const TableRecord record =
        decode_table_record(verified_table_record(name, item->value, where(path, key)), where(path, key));
    const auto require_within = [&](const char* what, std::uint64_t value, std::uint64_t last) {
      if (value == 0 || value > last)
        throw CorruptionError({.where = where(path, key),
                               .want = std::string(what) + " from 1 to " + std::to_string(last),
                               .got = std::to_string(value)});
    };
    require_within("an id", record.id, catalogue.next_table_id - 1);
    require_within("a tree", record.tree, catalogue.tree_count);
    if (record.is_fed() && !catalogue.feed_begun_after)
      throw CorruptionError({.where = where(path, feed_key), .want = "where the feed begins", .got = "none"});
    catalogue.tables.emplace(name, record);
  }
  return catalogue;
}

std::map<std::string, Bytes, std::less<>> table_records(const OrderedView& meta) {
  std::map<std::string, Bytes, std::less<>> records;
  const auto cursor = meta.cursor();
  for (auto item = cursor->seek(as_bytes(table_prefix)); item; item = cursor->next()) {
    const std::string_view key = as_text(item->key);
    if (!key.starts_with(table_prefix)) break;
    records.emplace(key.substr(table_prefix.size()), to_bytes(item->value));
  }
  return records;
}

ByteView verified_table_record(std::string_view name, ByteView stored, const std::string& where) {
  const std::size_t digest_bytes = std::min(stored.size(), sizeof(Digest));
  const ByteView record = stored.first(stored.size() - digest_bytes);
  const Digest want = table_digest(name, record);
  if (equal(stored.last(digest_bytes), want)) return record;
  throw CorruptionError({.where = where, .want = "digest " + to_hex(want), .got = to_hex(stored.last(digest_bytes))});
}

Bytes encode_table_record(const TableRecord& record) {
  Bytes out;
  append_number(out, record_version);
  append_number(out, record.id);
  append_number(out, record.tree);
  append_number(out, record.flags);
  append_number(out, record.schema_version);
  for (const CodecName* codec : {&record.codecs.key, &record.codecs.value}) {
    append_text(out, codec->name);
    append_number(out, codec->version);
  }
  append_text(out, record.seal);
  return out;
}

TableRecord decode_table_record(ByteView stored, const std::string& where) {
  const auto refuse = [&](std::string problem) {
    throw StateError({.state = State::newer_format, .where = where, .problem = std::move(problem)});
  };
  Reader reader(stored, where);
  const auto version = reader.number<std::uint8_t>();
  if (version != record_version) refuse("its record has version " + std::to_string(version));
  TableRecord record;
  record.id = reader.number<std::uint64_t>();
  record.tree = reader.number<std::uint64_t>();
  record.flags = reader.number<std::uint64_t>();
  if ((record.flags & ~known_table_flags) != 0) refuse("its flags are " + std::to_string(record.flags));
  record.schema_version = reader.number<std::uint32_t>();
  for (CodecName* codec : {&record.codecs.key, &record.codecs.value}) {
    codec->name = reader.text();
    codec->version = reader.number<std::uint32_t>();
  }
  record.seal = reader.text();
  reader.end();
  return record;
}

std::map<std::string, Bytes> catalogue_records(const Catalogue& catalogue) {
  std::map<std::string, Bytes> records;
  for (const auto& [name, record] : catalogue.tables) {
    Bytes stored = encode_table_record(record);
    append(stored, ByteView(table_digest(name, stored)));
    records.emplace(std::string(table_prefix) + name, std::move(stored));
  }
  records.emplace(change_key, number(catalogue.change));
  records.emplace(next_id_key, number(catalogue.next_table_id));
  records.emplace(tree_count_key, number(catalogue.tree_count));
  if (catalogue.feed_begun_after) records.emplace(feed_key, number(*catalogue.feed_begun_after));
  return records;
}

bool Catalogue::has_expiring() const noexcept {
  return std::ranges::any_of(tables, [](const auto& table) { return table.second.is_expiring(); });
}

std::string lmdb_name(std::uint64_t tree) {
  if (tree == expiry_tree) return expiry_table_name;
  if (tree == feed_tree) return feed_table_name;
  return "table." + std::to_string(tree);
}

}  // namespace holdfast::detail
