// The inventory program, killed with SIGKILL at random moments: what it acknowledged is in the store, and its three
// tiers agree, because they commit together.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

extern char** environ;

namespace holdfast::testing {
namespace {

namespace fs = std::filesystem;

/// A started program; its standard output and error stand in files, which outlive any kill.
class Process {
 public:
  Process(std::vector<std::string> arguments, const fs::path& out, const fs::path& err) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot start " + arguments[0]);
  }

  void kill() const { ::kill(pid_, SIGKILL); }

  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
  }

  /// As of waitpid(2).
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

 private:
  pid_t pid_ = -1;
};

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The paths of complete lines "committed<TAB>path<TAB>ok"; a line that the kill cut short acknowledges nothing.
std::set<std::string> acknowledged(const fs::path& progress) {
  std::set<std::string> paths;
  std::istringstream lines(content_of(progress));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("committed\t") && line.ends_with("\tok")) paths.insert(line.substr(10, line.size() - 13));
  }
  return paths;
}

class InventoryKill : public ::testing::TestWithParam<std::string> {
 protected:
  static constexpr int file_count = 140;
  static constexpr int rounds = 50;

  std::vector<std::string> program(const std::string& name, std::vector<std::string> arguments) const {
    std::vector<std::string> all = {std::string(HOLDFAST_EXAMPLES_DIR) + "/" + name, "--backend", GetParam()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  int run_to_end(const std::string& name, std::vector<std::string> arguments) const {
    return Process(program(name, std::move(arguments)), out, err).wait();
  }

  void write_file(int number, const std::string& content) const {
    const fs::path file = tree / ("folder" + std::to_string(number % 7)) / ("file" + std::to_string(number) + ".txt");
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }

  TemporaryDirectory scratch;
  fs::path tree = scratch.path() / "tree";
  fs::path store = scratch.path() / "store";
  fs::path out = scratch.path() / "out";
  fs::path err = scratch.path() / "err";
};

TEST_P(InventoryKill, AcknowledgedFilesAreAllThereAndGroupsAreWhole) {
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < file_count; ++i) write_file(i, "first content of " + std::to_string(i));

  int killed = 0;
  int acknowledging = 0;
  std::set<std::string> must_be_there;
  for (int round = 0; round < rounds; ++round) {
    // Every round changes half of the files, so that every round has work to be killed in.
    for (int i = round % 2; i < file_count; i += 2) {
      write_file(i, "round " + std::to_string(round) + std::string(random() % 100, 'x'));
    }
    const fs::path progress = scratch.path() / "progress";
    Process running(program("inventory", {"--verbose", "--group-size", "10", tree, store}), out, progress);
    const std::size_t enough = random() % (file_count / 2);
    while (!running.ended() && acknowledged(progress).size() < enough) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    running.kill();
    const int status = running.wait();
    killed += WIFSIGNALED(status) ? 1 : 0;
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << content_of(progress);

    const auto now_acknowledged = acknowledged(progress);
    acknowledging += now_acknowledged.empty() ? 0 : 1;
    must_be_there.insert(now_acknowledged.begin(), now_acknowledged.end());
    if (must_be_there.empty()) continue;  // killed before there was a store

    ASSERT_EQ(run_to_end("inventory_report", {"--check", store}), 0) << "round " << round << ": " << content_of(err);
    ASSERT_EQ(run_to_end("inventory_report", {"--list", store}), 0) << "round " << round << ": " << content_of(err);
    std::set<std::string> recorded;
    std::istringstream lines(content_of(out));
    for (std::string line; std::getline(lines, line);) recorded.insert(line.substr(line.rfind('\t') + 1));
    for (const auto& path : must_be_there) {
      ASSERT_TRUE(recorded.contains(path)) << "round " << round << ": " << path << " was acknowledged";
    }
  }
  EXPECT_GT(killed, 0) << "no round ended by the kill";
  EXPECT_GT(acknowledging, 0) << "no round acknowledged anything";

  ASSERT_EQ(run_to_end("inventory", {tree, store}), 0) << content_of(err);
  ASSERT_EQ(run_to_end("inventory_report", {"--check", store}), 0) << content_of(err);
  ASSERT_EQ(run_to_end("inventory_report", {"--list", store}), 0) << content_of(err);
  const std::string listing = content_of(out);
  EXPECT_EQ(std::count(listing.begin(), listing.end(), '\n'), file_count);
}

INSTANTIATE_TEST_SUITE_P(Backends, InventoryKill, ::testing::Values("lmdb", "file"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace holdfast::testing
