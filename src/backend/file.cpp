#include "holdfast/backend/file.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

#include "backend/file_backend_access.hpp"
#include "backend/file_store.hpp"
#include "holdfast/core/key_range.hpp"
#include "holdfast/core/limits.hpp"

namespace holdfast {
namespace {

class FileCursor final : public ScanCursor {
 public:
  FileCursor(std::shared_ptr<const FileStore> store, FileStore::Snapshot snapshot, const ScanOptions& options)
      : store_(std::move(store)),
        snapshot_(std::move(snapshot)),
        keys_(store_->keys(*snapshot_)),
        remaining_(options.limit.value_or(std::numeric_limits<std::size_t>::max())),
        values_(options.values) {
    KeyRange range = KeyRange::with_prefix(options.prefix);
    if (options.after) range = options.reverse ? range.before(*options.after) : range.after(*options.after);
    std::erase_if(keys_, [&](const std::string& key) { return !range.contains(key); });
    if (!options.reverse) std::reverse(keys_.begin(), keys_.end());  // the next one is taken from the end
  }

  bool next(Entry& entry) override {
    if (failure_) std::rethrow_exception(failure_);
    try {
      while (remaining_ > 0 && !keys_.empty()) {
        const bool found = read(keys_.back(), entry);
        keys_.pop_back();
        if (!found) continue;
        --remaining_;
        return true;
      }
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
    return false;
  }

 private:
  bool read(std::string& key, Entry& entry) {
    entry.value.clear();
    const bool found =
        values_ ? store_->read_listed(key, *snapshot_, entry.value) : store_->has_listed(key, *snapshot_);
    if (found) entry.key = std::move(key);
    return found;
  }

  std::shared_ptr<const FileStore> store_;
  FileStore::Snapshot snapshot_;
  std::vector<std::string> keys_;  ///< those to come, the next one last
  std::size_t remaining_;
  bool values_;
  std::exception_ptr failure_;
};

class FileSnapshot final : public BackendReader {
 public:
  FileSnapshot(std::shared_ptr<const FileStore> store, FileStore::Snapshot snapshot)
      : store_(std::move(store)), snapshot_(std::move(snapshot)) {}

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override {
    return store_->view(key, snapshot_.get(), use);
  }
  [[nodiscard]] Scan scan(ScanOptions options) const override {
    return Scan(std::make_unique<FileCursor>(store_, snapshot_, options));
  }

 private:
  std::shared_ptr<const FileStore> store_;
  FileStore::Snapshot snapshot_;
};

}  // namespace

FileBackend::FileBackend(FileOptions options)
    : FileBackend(std::make_shared<FileStore>(
          options, FileDirectory::Seams{.ops = system_file_ops(), .clock = system_clock()})) {}

FileBackend::FileBackend(std::shared_ptr<FileStore> store) noexcept : store_(std::move(store)) {}

FileBackend::~FileBackend() = default;

std::unique_ptr<FileBackend> FileBackendAccess::open(FileOptions options, FileDirectory::Seams seams) {
  return std::unique_ptr<FileBackend>(new FileBackend(std::make_shared<FileStore>(options, std::move(seams))));
}

bool FileBackend::view(std::string_view key, FunctionRef<void(ByteView)> use) const {
  return store_->view(key, nullptr, use);
}

Scan FileBackend::scan(ScanOptions options) const {
  return Scan(std::make_unique<FileCursor>(store_, store_->take_snapshot(), options));
}

void FileBackend::write(std::string_view key, ByteView value) {
  store_->write(key, value);
}

bool FileBackend::erase(std::string_view key) {
  return store_->erase(key);
}

void FileBackend::apply(const WriteBatch& batch) {
  store_->apply(batch);
}

std::unique_ptr<const BackendSnapshot> FileBackend::snapshot() const {
  return std::make_unique<FileSnapshot>(store_, store_->take_snapshot());
}

void FileBackend::flush() {
  store_->flush();
}

Capabilities FileBackend::capabilities() const noexcept {
  return {.max_key_bytes = limits::max_file_name_bytes - file_name::suffix.size(),
          .max_value_bytes = limits::max_value_bytes,
          .binary_keys = false,
          .listing = true,
          .persistent = true};
}

std::string FileBackend::name() const {
  return "file:" + store_->path().string();
}

}  // namespace holdfast
