#pragma once

#include <forward_list>
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
  ByteView keep(Bytes value) { return kept_.emplace_front(std::move(value)); }

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
  std::forward_list<Bytes> kept_;
};

/// Begins LMDB transactions with `begin`, over the one before, until one can use the handles of all tables it sees:
/// those that another process has made, or another thread has opened, after it began need another try. Their index; a
/// reader's is lent by its slot, so that it must not be used once that reader has ended.
template <class Begin>
std::shared_ptr<const TableIndex> begin_indexed(const std::shared_ptr<Environment>& environment, const Begin& begin) {
  TableHandles& handles = environment->handles();
  for (;;) {
    const std::uint64_t opened = handles.opened();
    auto& base = begin();
    constexpr bool reads = std::is_same_v<decltype(base), ReadBase&>;
    const LmdbView meta(lent(base), environment->meta_table());
    // Not the transaction's number: LMDB may begin a reader in a state that is newer than the number it gives it.
    const std::uint64_t change = read_catalogue_change(meta, environment->path());
    if constexpr (reads) {
      const TableIndex* const known = base.known_index();
      if (known != nullptr && known->catalogue().change == change) return {std::shared_ptr<void>(), known};
    }
    auto index = handles.cached();
    if (!index || index->catalogue().change != change) {
      Catalogue catalogue = read_catalogue(meta, environment->path());
      // A reader that waits for the turn to open handles must not be one that the turn's owner waits for, to grow.
      if constexpr (reads) base.end();
      index = handles.index_of(environment, std::move(catalogue));
      handles.remember(index);
      if (base.ended()) continue;
    }
    if (handles.opened() != opened) continue;
    if constexpr (reads) {
      base.know_index(index);
      return {std::shared_ptr<void>(), index.get()};
    } else {
      return index;
    }
  }
}

/// Those of a snapshot.
class ReadState final : public TransactionTables {
 public:
  ReadState(const std::shared_ptr<Environment>& environment, const DatabaseOptions& options) {
    index_ = begin_indexed(environment, [&]() -> ReadBase& { return base_.emplace(environment, options); });
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
    const std::uint64_t rows = LmdbView(lent(*base_), table.handle).count();
    if (!table.record->is_expiring()) return rows;
    return live_count(rows, LmdbView(lent(*base_), index_->expiry()), table.record->id, nullptr, now_);
  }
  [[nodiscard]] std::unique_ptr<OrderedCursor> cursor(const IndexedTable& table) override {
    return live(table, LmdbView(lent(*base_), table.handle).cursor());
  }
  [[nodiscard]] std::unique_ptr<OrderedCursor> feed_rows() override {
    const LmdbHandle feed = index_->feed().handle;
    return feed != 0 ? LmdbView(lent(*base_), feed).cursor() : nullptr;
  }
  void end() noexcept override {
    ended_ = true;
    index_.reset();  // it was lent
    base_->end();
  }

 private:
  std::optional<ReadBase> base_;
};

}  // namespace holdfast::detail
