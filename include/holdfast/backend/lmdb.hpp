#pragma once

#include <memory>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/db/database.hpp"

namespace holdfast {

/// As those of the database under it.
using LmdbOptions = DatabaseOptions;

/// Bytes by key in an LMDB store: transactions, snapshots and a place beside the tables of a Database.
/// Always true: a batch is one LMDB transaction; a scan or snapshot is one read transaction, which it holds until it is
///              destroyed: while it lives the pages it shows are not used again.
/// Shape:   the store's LMDB database `holdfast`, raw bytes under raw keys; "" and keys that begin with NUL are stored
///          one byte longer, order kept (FORMAT.md). Keys are at most 511 bytes in that form.
/// Durable: when a write returns, as the options say. Writes that several threads make at once share one transaction
/// and
///          one sync, as strict as the strictest of them asks; each has its own result. Other processes may have the
///          store open.
/// Errors:  as Database's. A thread that writes inside its own Database::update of the same store gets
///          StateError{would_deadlock}.
/// Threads: all methods may be called at once; writers take turns, and share commits.
class HOLDFAST_API LmdbBackend final : public StorageBackend {
 public:
  explicit LmdbBackend(const LmdbOptions& options);
  /// Shares an open store with its other users.
  explicit LmdbBackend(std::shared_ptr<Database> database);
  ~LmdbBackend() override;

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override;
  [[nodiscard]] Scan scan(ScanOptions options) const override;
  void write(std::string_view key, ByteView value) override;
  bool erase(std::string_view key) override;
  void apply(const WriteBatch& batch) override;
  [[nodiscard]] std::unique_ptr<const BackendSnapshot> snapshot() const override;
  void flush() override;
  [[nodiscard]] Capabilities capabilities() const noexcept override;
  [[nodiscard]] std::string name() const override;

  [[nodiscard]] const std::shared_ptr<Database>& database() const noexcept { return database_; }

 private:
  void require_writable() const;

  std::shared_ptr<Database> database_;
};

}  // namespace holdfast
