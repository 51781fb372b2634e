#pragma once

#include <CLI/CLI.hpp>

#include "store.hpp"

namespace inventory {

/// What both programs ask for alike.
inline void add_backend_option(CLI::App& app, BackendKind& kind) {
  const std::map<std::string, BackendKind> kinds = {
      {"lmdb", BackendKind::lmdb}, {"file", BackendKind::file}, {"memory", BackendKind::memory}};
  app.add_option("--backend", kind, "Where the store is kept: lmdb (default), file or memory")
      ->transform(CLI::CheckedTransformer(kinds, CLI::ignore_case));
}

}  // namespace inventory
