#include "db/table_binding.hpp"

#include <utility>

#include "core/printable.hpp"
#include "db/expiry.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::detail {
namespace {

std::string text(const CodecName& codec) {
  return codec.name + " " + std::to_string(codec.version);
}

std::string text(std::string_view seal) {
  return seal.empty() ? "none" : std::string(seal);
}

}  // namespace

ByteView TableBinding::open_value(const Place& place, std::uint64_t flags, ByteView stored, Bytes& scratch) const {
  try {
    if ((flags & expiring_flag) != 0) return open_dated(*seal(), place, stored, scratch).value;
    return seal()->open(place, stored, scratch);
  } catch (const CorruptionError& error) {
    CorruptionError::Facts facts = error.facts();
    facts.where = "table " + name_ + ", key " + printable(as_text(place.key));
    throw CorruptionError(std::move(facts));
  }
}

const IndexedTable* TableBinding::look_up(const TableIndex& index, Use use) const {
  const IndexedTable* const table = index.find(name_);
  if (table != nullptr) require_match(*table->record, use);
  const std::uint64_t place = table != nullptr ? static_cast<std::uint64_t>(table - index.tables().data()) + 1 : 0;
  known_[static_cast<std::size_t>(use)].store(index.serial() << place_bits | place, std::memory_order_relaxed);
  return table;
}

void TableBinding::require_match(const TableRecord& record, Use use) const {
  const auto require = [&](const char* what, const std::string& stored, const std::string& asked) {
    if (stored != asked)
      throw StateError({.state = State::mismatched,
                        .where = "table " + name_,
                        .problem = std::string(what) + ": it was made with " + stored + ", not with " + asked});
  };
  const TableRecord own = this->record(record.id, record.tree);
  require("seal", text(record.seal), text(own.seal));
  const std::uint64_t missing = own.flags & ~record.flags;
  if (missing != 0)
    throw StateError(
        {.state = State::mismatched,
         .where = "table " + name_,
         .problem = (missing & expiring_flag) != 0 ? "it was made without expiry" : "it was made without a feed"});
  if (!codecs_ && use == Use::reading) return;
  require("key codec", text(record.codecs.key), text(own.codecs.key));
  require("value codec", text(record.codecs.value), text(own.codecs.value));
  if (codecs_) require("schema version", std::to_string(record.schema_version), std::to_string(own.schema_version));
}

bool TableBinding::matches(const TableRecord& record) const {
  TableRecord own = this->record(record.id, record.tree);
  own.flags |= record.flags;
  return own == record;
}

TableRecord TableBinding::record(std::uint64_t id, std::uint64_t tree) const {
  return {.id = id,
          .tree = tree,
          .flags = (makes_expiring() ? expiring_flag : 0) | (makes_fed() ? fed_flag : 0),
          .schema_version = options_.schema_version,
          .codecs = codecs_.value_or(TableCodecs{}),
          .seal = options_.seal ? std::string(options_.seal->name()) : std::string()};
}

}  // namespace holdfast::detail
