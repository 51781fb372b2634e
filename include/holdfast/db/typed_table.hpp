#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "holdfast/codec/json.hpp"
#include "holdfast/codec/ordered.hpp"
#include "holdfast/codec/raw.hpp"
#include "holdfast/db/bounds.hpp"
#include "holdfast/db/bulk_load.hpp"
#include "holdfast/db/database.hpp"
#include "holdfast/db/detail/encoded.hpp"
#include "holdfast/db/table.hpp"
#include "holdfast/db/time_to_live.hpp"

namespace holdfast {

/// Raw where a value is bytes already, or an integer; JSON for everything else.
template <class V>
using DefaultValueCodec = std::conditional_t<std::same_as<V, Bytes> || std::same_as<V, std::string> || StoredInteger<V>,
                                             RawCodec<V>, JsonCodec<V>>;

/// One key with its value.
template <class K, class V>
struct TableEntry {
  K key{};
  V value{};
  bool operator==(const TableEntry&) const = default;
};
template <class K, class V>
TableEntry(K, V) -> TableEntry<K, V>;

/// A named table of values by key, of one store: a value, to use with transactions of that store. It is made by the
/// first put; until then it reads as empty.
///
///     const Table<std::string, Part> parts(*db, "parts");
///     db->update([&](WriteTransaction& txn) { parts.put(txn, "m6", {"bolt M6", 12}); });
///
/// Order:   keys are ordered as values where their codec keeps the order, as OrderedCodec does; ranges are in that
/// order.
///          With another key codec they are in the order of the encoded bytes.
/// Checked: the codecs' names and versions, schema version and seal are stored when the table is made; whoever uses it
///          with others gets StateError{mismatched}. Table<Bytes, Bytes> with the default codecs is the raw form, which
///          reads every table (of a sealed one, with its seal) and writes those of bytes.
/// Errors:  as ByteTable; CodecError of the codecs.
/// Threads: all methods may be called at once; what they use of a transaction is the transaction's to say.
/// Cost:    over ByteTable that of the codecs. Keys and values that are their own bytes are not copied on their way in.
template <class K, class V, class ValueCodec = DefaultValueCodec<V>, class KeyCodec = OrderedCodec<K>>
requires CodecFor<ValueCodec, V> && CodecFor<KeyCodec, K>
class Table {
 public:
  using Entry = TableEntry<K, V>;
  using Key = detail::Argument<KeyCodec, K>;      ///< K, or a view of its bytes
  using Value = detail::Argument<ValueCodec, V>;  ///< V, or a view of its bytes

  /// Errors: as Database::table().
  Table(const Database& database, std::string_view name, const TableOptions& options = {}, ValueCodec value_codec = {},
        KeyCodec key_codec = {})
      : key_codec_(std::move(key_codec)),
        value_codec_(std::move(value_codec)),
        bytes_(database.table(name, options, codecs())) {}

  [[nodiscard]] const std::string& name() const noexcept { return bytes_.name(); }
  /// The same table, of encoded keys and values.
  [[nodiscard]] const ByteTable& bytes() const noexcept { return bytes_; }

  /// nullopt when absent.
  [[nodiscard]] std::optional<V> get(const Transaction& txn, Key key) const {
    Bytes scratch;
    return decoded(bytes_.view(txn, encoded(key).view(), scratch));
  }

  /// The values of `keys`, in their order.
  template <std::ranges::input_range Keys>
  [[nodiscard]] std::vector<std::optional<V>> get_many(const Transaction& txn, Keys&& keys) const {
    std::vector<std::optional<V>> values;
    if constexpr (std::ranges::sized_range<Keys>) values.reserve(std::ranges::size(keys));
    for (const auto& key : keys) values.push_back(get(txn, key));
    return values;
  }

  /// The encoded value, lent; see ByteTable::view().
  [[nodiscard]] std::optional<ByteView> view(const Transaction& txn, Key key) const {
    return bytes_.view(txn, encoded(key).view());
  }
  std::optional<ByteView> view(Transaction&&, Key) const = delete;

  [[nodiscard]] bool contains(const Transaction& txn, Key key) const {
    return bytes_.contains(txn, encoded(key).view());
  }

  void put(WriteTransaction& txn, Key key, Value value) const {
    detail::Encoded<ValueCodec, V> stored(value_codec_, value);
    bytes_.put(txn, encoded(key).view(), stored.view());
  }
  /// Puts where there is no value yet; whether it did.
  bool insert(WriteTransaction& txn, Key key, Value value) const {
    detail::Encoded<ValueCodec, V> stored(value_codec_, value);
    return bytes_.insert(txn, encoded(key).view(), stored.view());
  }
  /// Puts the entries of `rows`, pairs or entries in the order of their encoded keys, each above the one before it; how
  /// many. As BulkLoader says: what is behind the table's last key is appended, entries are not gathered in memory, and
  /// whatever is thrown meanwhile, by `rows` too, ends the transaction. `rows` may read from it.
  ///
  ///     db->update([&](WriteTransaction& txn) { parts.load_sorted(txn, std::map<std::string, Part>{...}); });
  template <std::ranges::input_range Rows>
  std::uint64_t load_sorted(WriteTransaction& txn, Rows&& rows) const {
    BulkLoader loader(txn, bytes_);
    for (const auto& [key, value] : rows) {
      detail::Encoded<ValueCodec, V> stored(value_codec_, value);
      loader.append(encoded(key).view(), stored.view());
    }
    return loader.finish();
  }
  /// Whether there was a value to erase.
  bool erase(WriteTransaction& txn, Key key) const { return bytes_.erase(txn, encoded(key).view()); }

  /// The value before.
  std::optional<V> put_returning(WriteTransaction& txn, Key key, Value value) const {
    auto before = get(txn, key);
    put(txn, key, value);
    return before;
  }
  /// The value that was erased.
  std::optional<V> erase_returning(WriteTransaction& txn, Key key) const {
    auto before = get(txn, key);
    if (before) erase(txn, key);
    return before;
  }

  /// Of a table made with Expiry::per_entry, as ByteTable's. put() without a time to live is for ever.
  void put(WriteTransaction& txn, Key key, Value value, TimeToLive ttl) const {
    detail::Encoded<ValueCodec, V> stored(value_codec_, value);
    bytes_.put(txn, encoded(key).view(), stored.view(), ttl);
  }
  bool expire(WriteTransaction& txn, Key key, TimeToLive ttl) const {
    return bytes_.expire(txn, encoded(key).view(), ttl);
  }
  bool persist(WriteTransaction& txn, Key key) const { return bytes_.persist(txn, encoded(key).view()); }
  [[nodiscard]] std::optional<std::chrono::milliseconds> ttl(const Transaction& txn, Key key) const {
    return bytes_.ttl(txn, encoded(key).view());
  }
  std::uint64_t purge_expired(WriteTransaction& txn, std::uint64_t limit) const {
    return bytes_.purge_expired(txn, limit);
  }

  /// The entry with the least key within `bounds`.
  [[nodiscard]] std::optional<Entry> first(const Transaction& txn, const Bounds<K>& bounds = {}) const {
    return front(range(txn, bounds));
  }
  /// The entry with the greatest.
  [[nodiscard]] std::optional<Entry> last(const Transaction& txn, const Bounds<K>& bounds = {}) const {
    return front(reverse(txn, bounds));
  }
  /// As ByteTable::count().
  [[nodiscard]] std::uint64_t count(const Transaction& txn) const { return bytes_.count(txn); }

 private:
  struct TakeEntry {
    KeyCodec key_codec;
    ValueCodec value_codec;
    void operator()(const LentEntry& lent, Entry& entry) const {
      detail::decode_over(key_codec, lent.key, entry.key);
      detail::decode_over(value_codec, lent.value, entry.value);
    }
  };
  struct TakeKey {
    KeyCodec key_codec;
    void operator()(const LentEntry& lent, K& key) const { detail::decode_over(key_codec, lent.key, key); }
  };

 public:
  using EntryRange = TableRange<Entry, TakeEntry>;
  using KeyRangeOf = TableRange<K, TakeKey>;

  /// The entries within `bounds`, by ascending keys. One entry is decoded into again and again.
  [[nodiscard]] EntryRange range(const Transaction& txn, const Bounds<K>& bounds = {}) const {
    return entries(txn, key_range(bounds), Order::ascending);
  }
  EntryRange range(Transaction&&, const Bounds<K>& = {}) const = delete;
  /// By descending keys.
  [[nodiscard]] EntryRange reverse(const Transaction& txn, const Bounds<K>& bounds = {}) const {
    return entries(txn, key_range(bounds), Order::descending);
  }
  EntryRange reverse(Transaction&&, const Bounds<K>& = {}) const = delete;

  /// The keys within `bounds`; values are not read.
  [[nodiscard]] KeyRangeOf keys(const Transaction& txn, const Bounds<K>& bounds = {},
                                Order order = Order::ascending) const {
    return KeyRangeOf(bytes_.scan_source(txn, key_range(bounds), order, ByteTable::Values::skipped), {key_codec_});
  }
  KeyRangeOf keys(Transaction&&, const Bounds<K>& = {}, Order = Order::ascending) const = delete;

  /// The entries whose key begins with `text`. Everything for "".
  [[nodiscard]] EntryRange prefix(const Transaction& txn, Key text,
                                  Order order = Order::ascending) const requires detail::stores_itself<KeyCodec, K> {
    return entries(txn, KeyRange::with_prefix(as_text(encoded(text).view())), order);
  }
  /// The entries whose key, a tuple or pair, begins with these fields.
  template <class... Fields>
  [[nodiscard]] EntryRange prefix_fields(const Transaction& txn, const Fields&... fields) const
      requires(std::same_as<KeyCodec, OrderedCodec<K>> && sizeof...(Fields) <= std::tuple_size_v<K>) {
    Bytes leading;
    append_fields(leading, std::index_sequence_for<Fields...>{}, fields...);
    return entries(txn, KeyRange::with_prefix(as_text(leading)), Order::ascending);
  }

  /// Erases the keys within `bounds`; how many.
  std::uint64_t erase_range(WriteTransaction& txn, const Bounds<K>& bounds) const {
    return bytes_.erase_range(txn, key_range(bounds));
  }
  /// As ByteTable::clear().
  void clear(WriteTransaction& txn) const { bytes_.clear(txn); }

  /// These codecs over another table's bytes.
  [[nodiscard]] Table over(ByteTable bytes) const {
    Table other = *this;
    other.bytes_ = std::move(bytes);
    return other;
  }
  /// `key` as ByteTable knows it.
  [[nodiscard]] std::string text_of(const K& key) const {
    Bytes bytes;
    key_codec_.encode(key, bytes);
    return to_text(bytes);
  }
  /// The bounds as ranges of ByteTable are given: in encoded keys.
  [[nodiscard]] KeyRange key_range(const Bounds<K>& bounds) const {
    KeyRange range;
    if (bounds.from) range.first = text_of(*bounds.from);
    if (bounds.after) range = range.after(text_of(*bounds.after));
    if (bounds.below) range = range.before(text_of(*bounds.below));
    if (bounds.through) range = range.before(text_of(*bounds.through) + '\0');
    return range;
  }

 private:
  /// None for the raw form, which looks through other codecs.
  [[nodiscard]] std::optional<TableCodecs> codecs() const {
    TableCodecs own{.key = {.name = std::string(key_codec_.name()), .version = key_codec_.version()},
                    .value = {.name = std::string(value_codec_.name()), .version = value_codec_.version()}};
    constexpr bool raw = std::same_as<K, Bytes> && std::same_as<V, Bytes>;
    return raw && own == TableCodecs{} ? std::nullopt : std::optional(std::move(own));
  }

  [[nodiscard]] detail::Encoded<KeyCodec, K> encoded(Key key) const { return {key_codec_, key}; }
  [[nodiscard]] std::optional<V> decoded(const std::optional<ByteView>& stored) const {
    if (!stored) return std::nullopt;
    return value_codec_.decode(*stored);
  }

  [[nodiscard]] EntryRange entries(const Transaction& txn, const KeyRange& range, Order order) const {
    return EntryRange(bytes_.scan_source(txn, range, order), {key_codec_, value_codec_});
  }

  static std::optional<Entry> front(EntryRange range) {
    const auto at = range.begin();
    if (at == EntryRange::end()) return std::nullopt;
    return *at;
  }

  template <std::size_t... Places, class... Fields>
  static void append_fields(Bytes& out, std::index_sequence<Places...>, const Fields&... fields) {
    (detail::OrderedField<std::tuple_element_t<Places, K>>::put(fields, out), ...);
  }

  [[no_unique_address]] KeyCodec key_codec_;
  [[no_unique_address]] ValueCodec value_codec_;
  ByteTable bytes_;
};

}  // namespace holdfast
