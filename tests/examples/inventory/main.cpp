// inventory <directory> <store>: keeps an inventory of a directory tree in a holdfast store, and tells what changed
// since the last run. It may be killed at any moment: what it acknowledged stays, and the next run goes on from there.

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>

#include "command_line.hpp"
#include "update.hpp"

namespace {

enum ExitCode { done = 0, failed = 1, skipped_some = 3 };

/// Progress goes to standard error: a counter on a terminal, with --verbose a line for every acknowledged file.
class Progress {
 public:
  explicit Progress(bool verbose) : verbose_(verbose), terminal_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (shown_) std::cerr << '\n';
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void committed(const std::vector<std::string>& paths) {
    count_ += paths.size();
    if (verbose_) {
      for (const auto& path : paths) std::cerr << "committed\t" << path << "\tok\n";
      std::cerr.flush();
    } else if (terminal_) {
      std::cerr << "\rinventory: " << count_ << " changes committed" << std::flush;
      shown_ = true;
    }
  }

 private:
  bool verbose_;
  bool terminal_;
  bool shown_ = false;
  std::size_t count_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Keeps an inventory of a directory tree and prints what changed since the last run."};
  std::string directory;
  std::string path;
  inventory::BackendKind kind = inventory::BackendKind::lmdb;
  std::size_t group_size = 250;
  bool verbose = false;
  app.add_option("directory", directory, "The tree to record")->required()->check(CLI::ExistingDirectory);
  app.add_option("store", path, "Where the inventory is kept; made when absent")->required();
  inventory::add_backend_option(app, kind);
  app.add_option("--group-size", group_size, "Changes committed together")->check(CLI::PositiveNumber);
  app.add_flag("--verbose", verbose, "A line on standard error for every file, once its record is durable");
  CLI11_PARSE(app, argc, argv);

  inventory::Store store(inventory::open_backend(kind, path, holdfast::Access::read_write));
  const bool first_run = store.totals.load().value_or(inventory::Totals{}).completed_runs == 0;
  Progress progress(verbose);
  bool skipped = false;
  const auto changes =
      inventory::update(store, directory,
                        {.group_size = group_size,
                         .on_commit = [&](const std::vector<std::string>& paths) { progress.committed(paths); },
                         .on_skip =
                             [&](const std::string& file, const std::string& reason) {
                               skipped = true;
                               std::cerr << "inventory: skipped " << file << ": " << reason << '\n';
                             }});
  if (first_run) {
    std::cout << changes.size() << " files recorded\n";
  } else {
    for (const auto& change : changes) std::cout << change.kind << '\t' << change.path << '\n';
  }
  return skipped ? skipped_some : done;
} catch (const std::exception& error) {
  std::cerr << "inventory: " << error.what() << '\n';
  return failed;
}
