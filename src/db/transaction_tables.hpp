#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "db/catalogue.hpp"
#include "db/environment.hpp"
#include "db/lmdb_txn.hpp"
#include "db/write_set.hpp"

namespace holdfast::detail {

/// The tables of one transaction, by name.
class TransactionTables {
 public:
  virtual ~TransactionTables() = default;
  [[nodiscard]] virtual const Environment& environment() const noexcept = 0;
  /// Null where the table does not exist: it reads as empty. The view lives as long as this.
  [[nodiscard]] virtual const OrderedView* find(std::string_view name) = 0;
  /// Releases the store's state, also for ranges that still stand on it: they answer StateError{closed} from here on.
  virtual void end() noexcept = 0;
  [[nodiscard]] virtual bool ended() const noexcept = 0;
};

/// Those of a snapshot.
class ReadState final : public TransactionTables {
 public:
  explicit ReadState(const std::shared_ptr<Environment>& environment);
  [[nodiscard]] const Environment& environment() const noexcept override { return *base_->environment(); }
  [[nodiscard]] const OrderedView* find(std::string_view name) override;
  void end() noexcept override { base_->end(); }
  [[nodiscard]] bool ended() const noexcept override { return base_->ended(); }

 private:
  std::shared_ptr<ReadBase> base_;
  std::shared_ptr<const Catalogue> catalogue_;
  std::map<std::string, LmdbView, std::less<>> views_;
};

/// Those of a write transaction: a write set over each table that was used.
class WriteState final : public TransactionTables {
 public:
  explicit WriteState(const std::shared_ptr<WriterTurn>& turn);
  [[nodiscard]] const Environment& environment() const noexcept override { return *base_->environment(); }
  [[nodiscard]] const OrderedView* find(std::string_view name) override;
  void end() noexcept override { base_->end(); }
  [[nodiscard]] bool ended() const noexcept override { return base_->ended(); }
  [[nodiscard]] bool on_own_thread() const noexcept { return base_->on_own_thread(); }

  /// Errors: LimitError{max_tables} when the table would be one too many.
  void put(std::string_view name, ByteView key, ByteView value);
  bool erase(std::string_view name, ByteView key);
  /// What it has reached. Ended only when it succeeds.
  Durability commit(Durability asked);

 private:
  struct TableWrites {
    explicit TableWrites(std::unique_ptr<LmdbView> view) : base(std::move(view)), merged(base.get(), set) {}

    std::unique_ptr<LmdbView> base;  ///< null for a table that was not there at the beginning
    WriteSet set;
    MergedView merged;
  };

  /// Also of a table that does not exist: empty, until the first put makes it.
  [[nodiscard]] TableWrites& writes_of(std::string_view name);
  void make_table(std::string_view name);
  void apply(LmdbHandle handle, const WriteSet& set);

  std::shared_ptr<WriteBase> base_;
  std::shared_ptr<const Catalogue> catalogue_;
  Catalogue made_;  ///< tables made here, and the catalogue's numbers after them
  std::map<std::string, TableWrites, std::less<>> writes_;
};

}  // namespace holdfast::detail
