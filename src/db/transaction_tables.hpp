#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <type_traits>

#include "db/environment.hpp"
#include "db/expiry.hpp"
#include "db/lmdb_txn.hpp"
#include "db/table_index.hpp"

namespace holdfast::detail {

/// The tables of one transaction. What is asked for by table is of index(), as that is now.
class TransactionTables {
 public:
  virtual ~TransactionTables() = default;
  [[nodiscard]] virtual const Environment& environment() const noexcept = 0;
  [[nodiscard]] const TableIndex& index() const noexcept { return *index_; }
  [[nodiscard]] const std::shared_ptr<const TableIndex>& shared_index() const noexcept { return index_; }
  /// The one moment that this transaction judges expiry by, read when it began.
  [[nodiscard]] UnixMs now() const noexcept { return now_; }

  /// In a table that is sealed and whose entries expire: the row, whose deadline the seal covers.
  [[nodiscard]] virtual std::optional<ByteView> get(const IndexedTable& table, ByteView stored_key) = 0;
  /// The entry as the table stores it, due or not.
  [[nodiscard]] virtual std::optional<ByteView> row(const IndexedTable& table, ByteView stored_key) = 0;
  [[nodiscard]] virtual std::uint64_t count(const IndexedTable& table) = 0;
  /// It must not outlive this.
  [[nodiscard]] virtual std::unique_ptr<OrderedCursor> cursor(const IndexedTable& table) = 0;

  /// A cursor on the rows of the change feed, without what is yet to be applied; null when there is none.
  [[nodiscard]] virtual std::unique_ptr<OrderedCursor> feed_rows() = 0;

  /// Releases the store's state, also for ranges that still stand on it: they answer StateError{closed} from here on.
  virtual void end() noexcept = 0;
  [[nodiscard]] const bool& ended() const noexcept { return ended_; }

  /// Lends for as long as the transaction what had to be made to be lent.
  ByteView keep(Bytes value) { return kept_.emplace_back(std::move(value)); }

 protected:
  /// A seal is opened with the deadline, which it covers.
  [[nodiscard]] static Lent lent_of(const IndexedTable& table) noexcept {
    return table.record->seal.empty() ? Lent::value : Lent::row;
  }
  /// What a transaction shows of a row.
  [[nodiscard]] std::optional<ByteView> live(const IndexedTable& table, std::optional<ByteView> stored) const {
    return table.record->is_expiring() ? live_value(stored, now_, lent_of(table)) : stored;
  }
  [[nodiscard]] std::unique_ptr<OrderedCursor> live(const IndexedTable& table,
                                                    std::unique_ptr<OrderedCursor> rows) const {
    return table.record->is_expiring() ? live_cursor(std::move(rows), now_, lent_of(table)) : std::move(rows);
  }

  std::shared_ptr<const TableIndex> index_;
  UnixMs now_ = 0;
  bool ended_ = false;

 private:
  std::deque<Bytes> kept_;
};

/// Begins LMDB transactions until one can use the handles of all tables it sees: those that another process has made,
/// or another thread has opened, after this one began need another try. `patience` is what Base waits by.
template <class Base, class Source, class Patience>
std::shared_ptr<Base> begin_indexed(const std::shared_ptr<Environment>& environment, const Source& source,
                                    const Patience& patience, std::shared_ptr<const TableIndex>& index) {
  TableHandles& handles = environment->handles();
  for (;;) {
    const std::uint64_t opened = handles.opened();
    auto base = std::make_shared<Base>(source, patience);
    const LmdbView meta(base, environment->meta_table());
    index = handles.cached();
    if (!index || index->catalogue().change != read_catalogue_change(meta, environment->path())) {
      Catalogue catalogue = read_catalogue(meta, environment->path());
      // A reader that waits for the turn to open handles must not be one that the turn's owner waits for, to grow.
      if constexpr (std::is_same_v<Base, ReadBase>) base->end();
      index = handles.index_of(environment, std::move(catalogue));
      handles.remember(index);
      if (base->ended()) continue;
    }
    if (handles.opened() == opened) return base;
  }
}

/// Those of a snapshot.
class ReadState final : public TransactionTables {
 public:
  ReadState(const std::shared_ptr<Environment>& environment, const DatabaseOptions& options)
      : base_(begin_indexed<ReadBase>(environment, environment, options, index_)) {
    base_->stamp();
    if (index_->expiry() != 0) now_ = unix_ms(options.clock->now());
  }

  [[nodiscard]] const Environment& environment() const noexcept override { return *base_->environment(); }
  [[nodiscard]] std::optional<ByteView> get(const IndexedTable& table, ByteView stored_key) override {
    return live(table, base_->get(table.handle, stored_key));
  }
  [[nodiscard]] std::optional<ByteView> row(const IndexedTable& table, ByteView stored_key) override {
    return base_->get(table.handle, stored_key);
  }
  [[nodiscard]] std::uint64_t count(const IndexedTable& table) override {
    const std::uint64_t rows = LmdbView(base_, table.handle).count();
    if (!table.record->is_expiring()) return rows;
    return live_count(rows, LmdbView(base_, index_->expiry()), table.record->id, nullptr, now_);
  }
  [[nodiscard]] std::unique_ptr<OrderedCursor> cursor(const IndexedTable& table) override {
    return live(table, LmdbView(base_, table.handle).cursor());
  }
  [[nodiscard]] std::unique_ptr<OrderedCursor> feed_rows() override {
    const LmdbHandle feed = index_->feed().handle;
    return feed != 0 ? LmdbView(base_, feed).cursor() : nullptr;
  }
  void end() noexcept override {
    ended_ = true;
    base_->end();
  }

 private:
  std::shared_ptr<ReadBase> base_;
};

}  // namespace holdfast::detail
