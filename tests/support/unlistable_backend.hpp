#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/backend/backend.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast::testing {

/// Another backend, without the ability to list: UnsupportedError at scan(), also of its snapshots, and at nothing
/// before that.
class UnlistableBackend final : public StorageBackend {
 public:
  explicit UnlistableBackend(std::shared_ptr<StorageBackend> inner) : inner_(std::move(inner)) {}

  bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override { return inner_->view(key, use); }
  [[nodiscard]] Scan scan(ScanOptions) const override {
    throw UnsupportedError({.capability = "scan", .where = name()});
  }
  bool erase(std::string_view key) override { return inner_->erase(key); }
  void apply(const WriteBatch& batch) override { inner_->apply(batch); }
  [[nodiscard]] std::unique_ptr<const BackendSnapshot> snapshot() const override {
    return std::make_unique<UnlistableSnapshot>(inner_->snapshot(), name());
  }
  void flush() override { inner_->flush(); }
  [[nodiscard]] Capabilities capabilities() const noexcept override {
    Capabilities capabilities = inner_->capabilities();
    capabilities.listing = false;
    return capabilities;
  }
  [[nodiscard]] std::string name() const override { return "unlistable:" + inner_->name(); }

 private:
  class UnlistableSnapshot final : public BackendReader {
   public:
    UnlistableSnapshot(std::unique_ptr<const BackendSnapshot> inner, std::string name)
        : inner_(std::move(inner)), name_(std::move(name)) {}
    bool view(std::string_view key, FunctionRef<void(ByteView)> use) const override { return inner_->view(key, use); }
    [[nodiscard]] Scan scan(ScanOptions) const override {
      throw UnsupportedError({.capability = "scan", .where = name_});
    }

   private:
    std::unique_ptr<const BackendSnapshot> inner_;
    std::string name_;
  };

  std::shared_ptr<StorageBackend> inner_;
};

}  // namespace holdfast::testing
