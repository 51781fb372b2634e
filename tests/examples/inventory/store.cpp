#include "store.hpp"

#include <map>

namespace inventory {

using namespace holdfast;

std::shared_ptr<StorageBackend> open_backend(BackendKind kind, const std::filesystem::path& path, Access access) {
  switch (kind) {
    case BackendKind::lmdb: return std::make_shared<LmdbBackend>(LmdbOptions{.path = path, .access = access});
    case BackendKind::file: return std::make_shared<FileBackend>(FileOptions{.root = path, .access = access});
    case BackendKind::memory: break;
  }
  return std::make_shared<MemoryBackend>();
}

std::optional<std::string> disagreement(const Store& store) {
  std::map<std::string, std::uint64_t> recorded;
  Totals sum;
  store.files.for_each_by_prefix("", [&](std::string_view path, const FileRecord& record) {
    recorded.emplace(path, record.size_bytes);
    sum.add(extension_of(std::string(path)), record.size_bytes);
  });
  const Totals totals = store.totals.load().value_or(Totals{});
  if (totals.by_extension != sum.by_extension) return "the totals are not the sum of the records";

  std::map<std::string, std::uint64_t> replayed;
  for (const auto& entry : store.changes.scan()) {
    const Change& change = entry.value;
    const bool present = replayed.contains(change.path);
    if (present == (change.kind == "added")) {
      return "change " + std::to_string(entry.sequence) + " (" + change.kind + " " + change.path +
             ") does not follow from those before it";
    }
    if (change.kind == "removed") {
      replayed.erase(change.path);
    } else {
      replayed[change.path] = change.size_bytes;
    }
  }
  if (replayed != recorded) return "the log of changes does not lead to the records";
  return std::nullopt;
}

}  // namespace inventory
