#pragma once

#include <cstdint>
#include <memory>

#include "holdfast/core/bytes.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/db/table.hpp"

namespace holdfast {

namespace detail {
class EntryBatch;
}  // namespace detail

/// Puts many entries in the order of their keys: what Table::load_sorted() is made of, for entries that are not a
/// range. Those above every key of the table are appended, which fills its pages; those among its keys are put there,
/// over what was there. All that was given is in the transaction once finish() has returned. Order:   each key above
/// the one before it. Shape:   entries become pages of the store as they come, unseen by others before the commit. So
/// the transaction is
///          one that has spilled: views lent before have ended, and the store can grow no further than what was
///          reserved. A load of up to 256 KiB (or `write_set_bytes`) is the same as its puts, and so is one into a
///          table whose entries expire.
/// Errors:  as ByteTable::put(), and ConflictError for a key that is not above the one before it. After any of them,
/// and
///          when it is destroyed unfinished, the transaction has ended: nothing of it will be written.
/// Threads: the transaction's.
/// Cost:    that of LMDB's append. In memory are a batch of entries, and the pages of at most 512 MiB before they go to
///          the file.
class HOLDFAST_API BulkLoader {
 public:
  /// It must be gone before either. Errors: StateError{in_use} while a savepoint is open.
  BulkLoader(WriteTransaction& txn, const ByteTable& table);
  ~BulkLoader();
  BulkLoader(const BulkLoader&) = delete;
  BulkLoader& operator=(const BulkLoader&) = delete;

  void append(ByteView key, ByteView value);
  /// How many entries there were. Errors also: StateError{closed}, of this and append(), once it was called.
  std::uint64_t finish();

 private:
  void require_open() const;
  void write_batch();
  void put_batch();

  WriteTransaction* txn_;
  const ByteTable* table_;
  std::shared_ptr<detail::WriteState> state_;  ///< ended when this goes unfinished; null once finished
  std::unique_ptr<detail::EntryBatch> batch_;
  std::uint64_t batch_bytes_ = 0;
  Bytes last_key_;
  std::uint64_t count_ = 0;
  bool is_direct_ = false;  ///< the latest batch was written past the write set
};

}  // namespace holdfast
