#include <gtest/gtest.h>

#include <set>
#include <string>

#include "crash/file_scenarios.hpp"
#include "support/seed.hpp"

namespace holdfast::testing {
namespace {

using Aftermath = SimFileOps::Aftermath;
using Verdict = SimFileOps::Verdict;

constexpr std::size_t mixed_rounds = 30;
constexpr std::size_t opening_rounds = 6;

struct Crash {
  std::shared_ptr<SimFileOps> disk{};
  bool acknowledged = false;
};

class FileBackendCrash : public ::testing::TestWithParam<FileScenario> {
 protected:
  /// The machine stops at the `number`th operation of the change.
  static Crash crash_at(std::size_t number, const FileOptions& options = {}) {
    Crash crash{.disk = GetParam().disk()};
    const auto files = open_files(crash.disk, options);
    crash.disk->script_call(number, Verdict::stop, EIO);
    crash.acknowledged = try_change(GetParam(), *files);
    return crash;
  }

  /// Whether this disk, found after a change of this kind, has not been looked at before: most operations change
  /// nothing, and stopping at the next comes to the same.
  static bool is_new(std::set<std::string>& seen, const SimFileOps& disk, bool acknowledged) {
    return seen.insert((acknowledged ? "acknowledged\n" : "not acknowledged\n") + disk.image()).second;
  }

  /// What a found disk shows: before or after, to a reader as to the owner who completes it; and what it shows is then
  /// as durable as what is written next.
  static void expect_whole(const std::shared_ptr<SimFileOps>& disk, bool acknowledged) {
    const Contents read_only = contents_of(*open_files(disk, {.access = Access::read_only}));
    Contents found;
    {
      const auto files = open_files(disk);
      found = contents_of(*files);
      EXPECT_EQ(found, read_only) << "a read-only opener saw something else than the owner";
      EXPECT_TRUE(found == GetParam().after || (!acknowledged && found == GetParam().before))
          << (acknowledged ? "acknowledged, and not there: " : "half there: ") << ::testing::PrintToString(found);
      EXPECT_TRUE(!disk->names(store_root).empty() || !GetParam().directory_exists);
      files->write("next", as_bytes("n"));
      EXPECT_TRUE(is_clean(*disk));
    }
    found["next"] = "n";
    EXPECT_EQ(contents_of(*open_files(disk->after(Aftermath::lost))), found);
  }
};

TEST_P(FileBackendCrash, ShowsBeforeOrAfterAtEveryFileOperation) {
  const std::size_t operations = operations_of(GetParam());
  ASSERT_GT(operations, 5U);
  std::set<std::string> seen;
  const auto look_at = [&](const std::shared_ptr<SimFileOps>& disk, bool acknowledged) {
    if (is_new(seen, *disk, acknowledged)) expect_whole(disk, acknowledged);
  };
  for (std::size_t number = 1; number <= operations + 1; ++number) {
    SCOPED_TRACE("stopped at operation " + std::to_string(number) + " of " + std::to_string(operations));
    const Crash crash = crash_at(number);
    EXPECT_TRUE(crash.acknowledged || number <= operations);
    for (const Aftermath aftermath : {Aftermath::kept, Aftermath::lost}) {
      SCOPED_TRACE(aftermath == Aftermath::kept ? "unsynced kept" : "unsynced lost");
      look_at(crash.disk->after(aftermath), crash.acknowledged);
    }
    for (std::size_t round = 0; round < mixed_rounds; ++round) {
      const std::uint64_t seed = test_seed() + number * mixed_rounds + round;
      SCOPED_TRACE("unsynced mixed, seed " + std::to_string(seed));
      look_at(crash.disk->after(Aftermath::mixed, seed), crash.acknowledged);
    }
  }
}

TEST_P(FileBackendCrash, ShowsBeforeOrAfterWhenRecoveryCrashesToo) {
  const std::size_t operations = operations_of(GetParam());
  std::set<std::string> recovered_from;
  std::set<std::string> seen;
  for (std::size_t number = 1; number <= operations; ++number) {
    const Crash crash = crash_at(number);
    for (const Aftermath first : {Aftermath::kept, Aftermath::lost}) {
      bool recovered = !is_new(recovered_from, *crash.disk->after(first), crash.acknowledged);
      for (std::size_t second = 1; !recovered; ++second) {
        SCOPED_TRACE("stopped at " + std::to_string(number) + ", recovery at " + std::to_string(second));
        const auto disk = crash.disk->after(first);
        disk->script_call(second, Verdict::stop, EIO);
        try {
          static_cast<void>(open_files(disk));
          recovered = disk->calls() < second;
        } catch (const IoError&) {
          recovered = false;
        }
        for (const Aftermath aftermath : {Aftermath::kept, Aftermath::lost}) {
          const auto found = disk->after(aftermath);
          if (is_new(seen, *found, crash.acknowledged)) expect_whole(found, crash.acknowledged);
        }
      }
    }
  }
}

TEST_P(FileBackendCrash, UnsyncedSurvivesTheProcessAtEveryFileOperation) {
  const FileOptions unsynced{.durability = Durability::unsynced};
  const std::size_t operations = operations_of(GetParam(), unsynced);
  for (std::size_t number = 1; number <= operations + 1; ++number) {
    SCOPED_TRACE("stopped at operation " + std::to_string(number));
    const Crash crash = crash_at(number, unsynced);
    const auto found = contents_of(*open_files(crash.disk->after(Aftermath::kept), unsynced));
    EXPECT_TRUE(found == GetParam().after || (!crash.acknowledged && found == GetParam().before));
  }
}

TEST_P(FileBackendCrash, UnsyncedSurvivesPowerLossOnceFlushed) {
  const auto disk = GetParam().disk();
  const auto files = open_files(disk, {.durability = Durability::unsynced});
  GetParam().change(*files);
  files->flush();
  EXPECT_EQ(contents_of(*open_files(disk->after(Aftermath::lost))), GetParam().after);
}

TEST_P(FileBackendCrash, UnsyncedPowerLossNeverKeepsTheDirectoryFromOpening) {
  const FileOptions unsynced{.durability = Durability::unsynced};
  const std::size_t operations = operations_of(GetParam(), unsynced);
  for (std::size_t number = 1; number <= operations + 1; ++number) {
    for (std::size_t round = 0; round < opening_rounds; ++round) {
      const std::uint64_t seed = test_seed() + number * opening_rounds + round;
      SCOPED_TRACE("stopped at " + std::to_string(number) + ", seed " + std::to_string(seed));
      const auto disk = crash_at(number, unsynced).disk->after(Aftermath::mixed, seed);
      const auto files = open_files(disk, unsynced);
      files->write("next", as_bytes("n"));
      EXPECT_EQ(files->read("next"), to_bytes("n"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Change, FileBackendCrash, ::testing::ValuesIn(file_scenarios()), scenario_name);

}  // namespace
}  // namespace holdfast::testing
