#include <cstdio>
#include <filesystem>
#include <holdfast/holdfast.hpp>
#include <memory>
#include <vector>

/// The application of the package tests: a tier on every backend the library was built with, what was stored found
/// again by a second backend, and an exception of the library caught by its type. usage: app <directory>
namespace {

struct Part {
  std::string name;
  int count = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Part, name, count)

bool keeps_parts(const std::shared_ptr<holdfast::StorageBackend>& backend) {
  holdfast::KvTier<Part> parts(backend);
  parts.save("m6", {.name = "bolt", .count = 12});
  return parts.load("m6")->count == 12 && !parts.load("m8");
}

bool refuses_a_broken_part(const std::shared_ptr<holdfast::StorageBackend>& backend) {
  backend->write("broken", holdfast::as_bytes("{"));
  try {
    (void)holdfast::KvTier<Part>(backend).load("broken");
    return false;
  } catch (const holdfast::CodecError& error) {
    std::printf("%s: %s\n", backend->name().c_str(), error.what());
    return true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path directory = argv[1];
  std::filesystem::remove_all(directory);
  std::vector<std::shared_ptr<holdfast::StorageBackend>> backends = {
      std::make_shared<holdfast::MemoryBackend>(),
      std::make_shared<holdfast::FileBackend>(holdfast::FileOptions{.root = directory / "files"})};
#if defined(HOLDFAST_WITH_LMDB)
  backends.push_back(std::make_shared<holdfast::LmdbBackend>(holdfast::LmdbOptions{.path = directory / "store"}));
#endif
  for (const auto& backend : backends) {
    if (!keeps_parts(backend) || !refuses_a_broken_part(backend)) return 1;
  }
}
