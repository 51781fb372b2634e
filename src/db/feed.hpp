#pragma once

#include <cstdint>
#include <optional>

#include "db/expiry.hpp"
#include "db/lmdb_txn.hpp"
#include "holdfast/db/feed.hpp"

/// The change feed: one tree for all tables of a store that have one, ordered by the numbers of the changes. It grows
/// at its end and is pruned at its beginning; the latest change is never pruned. Bytes: FORMAT.md.
namespace holdfast::detail {

/// Where the feed of a store is.
struct FeedTree {
  LmdbHandle handle = 0;          ///< 0 when there is none, or while it is made by a transaction
  std::uint64_t begun_after = 0;  ///< the number before the first that it ever had
};

/// A row, taken apart.
struct FeedRow {
  std::uint64_t sequence = 0;
  std::uint64_t commit = 0;
  UnixMs time = 0;
  std::uint64_t table_id = 0;
  ChangeKind kind = ChangeKind::put;
  ByteView stored_key{};  ///< lent from the row; empty for a clear
};

[[nodiscard]] Bytes feed_key(std::uint64_t sequence);
/// Errors: CorruptionError for a key that no row has.
[[nodiscard]] std::uint64_t feed_sequence(ByteView key);
[[nodiscard]] Bytes feed_value(const FeedRow& row);
/// Errors: CorruptionError for bytes that no row has.
[[nodiscard]] FeedRow feed_row(ByteView key, ByteView value);

/// Errors: CorruptionError when `row` cannot follow the row before it.
void require_follows(const FeedRow& row, std::uint64_t sequence_before, std::uint64_t commit_before);

/// What `rows`, a cursor on the feed or null, holds.
[[nodiscard]] FeedExtent feed_extent(OrderedCursor* rows, std::uint64_t begun_after);

/// Appends to the feed in a write transaction, as one commit, and prunes it.
/// Invariant: prunes no change of its own commit, and for each that it appends at most two.
class FeedLog {
 public:
  /// `commit`: what commit() of an earlier log of the same transaction said.
  FeedLog(WriteBase& txn, FeedTree tree, UnixMs now, const FeedRetention& retention, std::uint64_t commit = 0)
      : txn_(&txn), tree_(tree), now_(now), retention_(retention), commit_(commit) {}

  void append(std::uint64_t table_id, ChangeKind kind, ByteView stored_key);
  /// When the transaction began.
  [[nodiscard]] UnixMs now() const noexcept { return now_; }
  /// The number of its first change; 0 before there is one.
  [[nodiscard]] std::uint64_t commit() const noexcept { return commit_; }

 private:
  void begin();
  void prune();
  [[nodiscard]] bool lets_go() const;

  WriteBase* txn_;
  FeedTree tree_;
  UnixMs now_;
  FeedRetention retention_;
  std::uint64_t commit_;
  std::uint64_t first_ = 0;  ///< kept
  std::uint64_t next_ = 0;   ///< to be given; 0 while the feed was not looked at
};

}  // namespace holdfast::detail
