#include "holdfast/db/destroy.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "db/judgement.hpp"
#include "db/new_place.hpp"
#include "db/sole_store.hpp"
#include "db/store_contents.hpp"
#include "db/store_directory.hpp"
#include "holdfast/core/entropy.hpp"
#include "holdfast/core/error.hpp"

namespace holdfast {
namespace {

/// Errors: StateError{foreign} for another program's LMDB file; one of ours that is damaged passes.
void require_ours(const detail::SoleStore& store) {
  try {
    detail::judge(store.data());
    const detail::MetaPage meta = detail::read_meta_pages(store.data()).current();
    if (detail::read_trees({.data = &store.data(), .meta = meta}).contains(detail::meta_table_name)) return;
  } catch (const CorruptionError&) {
    if (store.has_lock_file()) return;  // no other program makes one
  }
  throw StateError({.state = State::foreign, .where = store.path().string(), .problem = "not a holdfast store"});
}

}  // namespace

void destroy(const std::filesystem::path& path) {
  const auto ops = system_file_ops();
  const detail::SoleStore store(path, ops);
  require_ours(store);
  const std::vector<std::string> names = list_directory(*ops, store.path());
  const auto parent = store.path().parent_path();
  if (std::ranges::all_of(names, detail::StoreDirectory::is_file_name)) {
    // Renamed first, so that nobody opens it half gone; what is left of an interrupted one goes as all unfinished work.
    std::array<std::byte, 16> random{};
    system_entropy()->fill(random);
    const auto grave = parent / (std::string(detail::unfinished_prefix) + to_hex(random));
    rename_file(*ops, store.path(), grave);
    sync_directory(ops, parent);
    for (const std::string& name : names) remove_file(*ops, grave / name);
    const int removed = ops->remove_directory(grave);
    if (removed < 0 && removed != -ENOENT)  // somebody who makes a store here was faster
      throw IoError({.operation = "remove directory", .path = grave, .error_number = -removed});
    sync_directory(ops, parent);
    return;
  }
  // LOCK stays: who has opened it and waits would hold the lock of no store.
  remove_file(*ops, store.data().path());
  for (const std::string& name : names)
    if (detail::StoreDirectory::is_file_name(name) && name != detail::lock_file_name)
      remove_file(*ops, store.path() / name);
  sync_directory(ops, store.path());
}

}  // namespace holdfast
