#include "holdfast/db/database.hpp"

#include "db/environment.hpp"
#include "db/transaction_tables.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {

std::shared_ptr<Database> Database::open(const DatabaseOptions& options) {
  return std::shared_ptr<Database>(new Database(detail::Environment::open(options), options));
}

Database::Database(std::shared_ptr<detail::Environment> environment, const DatabaseOptions& options)
    : environment_(std::move(environment)), access_(options.access), durability_(options.durability) {}

Database::~Database() = default;

ReadTransaction Database::begin_read() const {
  return ReadTransaction(std::make_shared<detail::ReadState>(environment_));
}

CommittableTransaction Database::begin_write() {
  environment_->require_own_process();
  if (access_ == Access::read_only)
    throw StateError({.state = State::read_only, .where = path().string(), .problem = "a handle for reading only"});
  return CommittableTransaction(std::make_shared<detail::WriteState>(environment_), durability_);
}

ByteTable Database::table(std::string_view name) const {
  environment_->require_own_process();
  if (name.empty()) throw OptionError({.option = "table name", .problem = "is empty"});
  if (name.size() > limits::max_name_bytes)
    throw LimitError({.limit = "max_name_bytes",
                      .maximum = limits::max_name_bytes,
                      .actual = name.size(),
                      .unit = "bytes",
                      .where = path().string()});
  if (!is_utf8(name)) throw OptionError({.option = "table name", .problem = "is not UTF-8"});
  if (name.starts_with("holdfast"))
    throw OptionError({.option = "table name", .problem = "names that begin with \"holdfast\" are the library's own"});
  return ByteTable(std::string(name), environment_->serial());
}

void Database::flush() {
  environment_->flush();
}

const StoreId& Database::id() const noexcept {
  return environment_->id();
}

const std::filesystem::path& Database::path() const noexcept {
  return environment_->path();
}

}  // namespace holdfast
