#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "crash/file_scenarios.hpp"

namespace holdfast::testing {
namespace {

using Aftermath = SimFileOps::Aftermath;
using Operation = SimFileOps::Operation;
using Verdict = SimFileOps::Verdict;

class FileBackendFault : public ::testing::TestWithParam<FileScenario> {
 protected:
  /// Every operation of the change fails in turn.
  static void fail_each(Verdict verdict, int error_number) {
    const std::size_t operations = operations_of(GetParam());
    for (std::size_t number = 1; number <= operations; ++number) {
      SCOPED_TRACE("failed at operation " + std::to_string(number) + " of " + std::to_string(operations));
      const auto disk = GetParam().disk();
      Contents shown;
      bool went_on = false;
      {
        const auto files = open_files(disk);
        disk->script_call(number, verdict, error_number);
        const bool acknowledged = acknowledged_or_clear(*files, error_number);
        disk->heal();
        shown = contents_of(*files);
        EXPECT_TRUE(shown == GetParam().after || (!acknowledged && shown == GetParam().before));
        went_on = goes_on(*files);
        if (went_on) shown["next"] = "n";
        EXPECT_EQ(contents_of(*files), shown);
      }
      // What was acknowledged is there; a poisoned change may still turn out either way.
      for (const Aftermath aftermath : {Aftermath::kept, Aftermath::lost}) {
        const auto found_disk = disk->after(aftermath);
        const Contents found = contents_of(*open_files(found_disk));
        EXPECT_TRUE(found == shown || (!went_on && found == GetParam().before));
        EXPECT_TRUE(is_clean(*found_disk));
      }
    }
  }

  static bool acknowledged_or_clear(FileBackend& files, int error_number) {
    try {
      GetParam().change(files);
      return true;
    } catch (const IoError& error) {
      EXPECT_EQ(error.facts().error_number, error_number);
      EXPECT_FALSE(error.facts().operation.empty());
      EXPECT_TRUE(error.facts().path.is_absolute());
      return false;
    }
  }

  /// Whether the backend still takes writes.
  static bool goes_on(FileBackend& files) {
    try {
      files.write("next", as_bytes("n"));
      return true;
    } catch (const StateError& error) {
      EXPECT_EQ(error.facts().state, State::poisoned);
      return false;
    }
  }
};

TEST_P(FileBackendFault, NoInputOutputErrorLosesWhatWasAcknowledged) {
  fail_each(Verdict::fail_before, EIO);
}

TEST_P(FileBackendFault, NoErrorAfterTheFactLosesWhatWasAcknowledged) {
  fail_each(Verdict::fail_after, EIO);
}

TEST_P(FileBackendFault, NoFullDiskLosesWhatWasAcknowledged) {
  fail_each(Verdict::fail_before, ENOSPC);
}

TEST_P(FileBackendFault, AnInterruptedCallIsTriedAgain) {
  const std::size_t operations = operations_of(GetParam());
  for (std::size_t number = 1; number <= operations; ++number) {
    SCOPED_TRACE("interrupted at operation " + std::to_string(number));
    const auto disk = GetParam().disk();
    const auto files = open_files(disk);
    disk->script_call(number, Verdict::fail_before, EINTR);
    GetParam().change(*files);
    EXPECT_EQ(contents_of(*open_files(disk->after(Aftermath::lost))), GetParam().after);
    EXPECT_TRUE(is_clean(*disk));
  }
}

TEST_P(FileBackendFault, ShortReadsAndWritesAreCompleted) {
  const auto disk = GetParam().disk();
  const auto files = open_files(disk);
  disk->script([](const SimFileOps::Call&) { return Verdict::shorten; }, EIO);
  GetParam().change(*files);
  EXPECT_EQ(contents_of(*files), GetParam().after);
  EXPECT_EQ(contents_of(*open_files(disk->after(Aftermath::lost))), GetParam().after);
}

TEST_P(FileBackendFault, AFullDiskLeavesNoTemporaryFile) {
  const auto disk = GetParam().disk();
  const auto files = open_files(disk);
  disk->script(
      [](const SimFileOps::Call& call) {
        return call.operation == Operation::write ? Verdict::fail_before : Verdict::pass;
      },
      ENOSPC);
  static_cast<void>(try_change(GetParam(), *files));
  EXPECT_TRUE(is_clean(*disk));
}

INSTANTIATE_TEST_SUITE_P(Change, FileBackendFault, ::testing::ValuesIn(file_scenarios()), scenario_name);

/// A disk whose journal is published, and whose files do not show it yet.
std::shared_ptr<SimFileOps> disk_with_a_pending_batch() {
  const auto disk = std::make_shared<SimFileOps>();
  static_cast<void>(disk->make_directory("/data", 0700));
  static_cast<void>(disk->make_directory(store_root, 0700));
  disk->sync_everything();
  const auto files = open_files(disk);
  files->write("p", as_bytes("old"));
  files->write("erased", as_bytes("old"));
  std::size_t renames = 0;
  disk->script(
      [&renames](const SimFileOps::Call& call) {
        return call.operation == Operation::rename && ++renames == 2 ? Verdict::stop : Verdict::pass;
      },
      EIO);
  EXPECT_THROW(files->apply(WriteBatch().put("p", as_bytes("1")).put("q", as_bytes("2")).erase("erased")), IoError);
  const auto found = disk->after(Aftermath::kept);
  EXPECT_TRUE(found->names(store_root).contains(std::string(file_name::journal)));
  return found;
}

const Contents whole_batch = {{"p", "1"}, {"q", "2"}};

TEST(FileBackendRecovery, EveryFailureOfOpeningLeavesEverythingToTheNextOpener) {
  bool opened = false;
  for (std::size_t number = 1; !opened; ++number) {
    SCOPED_TRACE("failed at operation " + std::to_string(number));
    const auto disk = disk_with_a_pending_batch();
    disk->script_call(number, Verdict::fail_before, EIO);
    try {
      static_cast<void>(open_files(disk));
      opened = disk->calls() < number;
    } catch (const IoError&) {
      opened = false;
    }
    disk->heal();
    EXPECT_EQ(contents_of(*open_files(disk)), whole_batch);
    EXPECT_TRUE(is_clean(*disk));
  }
}

TEST(FileBackendRecovery, AReadOnlyOpenerReadsThroughTheJournalAndChangesNothing) {
  const auto disk = disk_with_a_pending_batch();
  const auto names = disk->names(store_root);
  const auto files = open_files(disk, {.access = Access::read_only});
  EXPECT_EQ(contents_of(*files), whole_batch);
  EXPECT_EQ(contents_of(*files->snapshot()), whole_batch);
  EXPECT_EQ(files->read("erased"), std::nullopt);
  EXPECT_EQ(disk->names(store_root), names);
  EXPECT_EQ(disk->calls(Operation::lock) + disk->calls(Operation::write) + disk->calls(Operation::rename), 0U);
  static_cast<void>(open_files(disk));  // the owner completes it
  EXPECT_EQ(contents_of(*files), whole_batch);
}

TEST(FileBackendRecovery, ADamagedJournalIsReportedAndKept) {
  const auto disk = disk_with_a_pending_batch();
  const auto journal = store_root / file_name::journal;
  Bytes damaged = *disk->content(journal);
  damaged.back() ^= std::byte{1};
  disk->put_file(journal, damaged);
  EXPECT_THROW(static_cast<void>(open_files(disk)), CorruptionError);
  const auto reader = open_files(disk, {.access = Access::read_only});
  EXPECT_THROW(static_cast<void>(reader->read("p")), CorruptionError);
  EXPECT_THROW(static_cast<void>(reader->scan({})), CorruptionError);
  EXPECT_EQ(disk->content(journal), damaged);
}

// A batch that cannot be completed at once.
TEST(FileBackendRecovery, ABatchCutShortIsSeenWholeAndCompletedByTheNextWrite) {
  const auto disk = std::make_shared<SimFileOps>();
  const auto files = open_files(disk);
  files->write("p", as_bytes("old"));
  const auto snapshot = files->snapshot();
  bool published = false;
  disk->script(
      [&published](const SimFileOps::Call& call) {
        const bool full = published && call.operation == Operation::write;
        published = published || (call.operation == Operation::rename && call.path.filename() == file_name::journal);
        return full ? Verdict::fail_before : Verdict::pass;
      },
      ENOSPC);
  EXPECT_THROW(files->apply(WriteBatch().put("p", as_bytes("1")).put("q", as_bytes("2"))), IoError);
  EXPECT_EQ(contents_of(*files), whole_batch);
  EXPECT_EQ(contents_of(*snapshot), (Contents{{"p", "old"}}));
  EXPECT_THROW(files->write("next", as_bytes("n")), IoError) << "still full";
  disk->heal();
  files->write("p", as_bytes("newest"));
  EXPECT_TRUE(is_clean(*disk));
  EXPECT_EQ(contents_of(*files), (Contents{{"p", "newest"}, {"q", "2"}}));
  EXPECT_EQ(contents_of(*open_files(disk->after(Aftermath::lost))), (Contents{{"p", "newest"}, {"q", "2"}}));
}

TEST(FileBackendRecovery, AFailedSyncOfWhatIsVisiblePoisonsWritesAndNotReads) {
  const auto disk = std::make_shared<SimFileOps>();
  {
    const auto files = open_files(disk);
    files->write("k", as_bytes("old"));
    bool renamed = false;
    disk->script(
        [&renamed](const SimFileOps::Call& call) {
          const bool fails = renamed && call.operation == Operation::sync;
          renamed = renamed || call.operation == Operation::rename;
          return fails ? Verdict::fail_before : Verdict::pass;
        },
        EIO);
    EXPECT_THROW(files->write("k", as_bytes("new")), IoError);
    disk->heal();
    for (const auto& attempt : std::vector<std::function<void()>>{
             [&] { files->write("k", as_bytes("newer")); }, [&] { files->erase("k"); }, [&] { files->flush(); },
             [&] { files->apply(WriteBatch().put("x", as_bytes("1")).put("y", as_bytes("2"))); }}) {
      try {
        attempt();
        FAIL() << "a poisoned backend took a write";
      } catch (const StateError& error) {
        EXPECT_EQ(error.facts().state, State::poisoned);
      }
    }
    EXPECT_EQ(files->read("k"), to_bytes("new"));
  }
  open_files(disk)->write("k", as_bytes("newest"));
}

TEST(FileBackendRecovery, AFailedSyncOfWhatNobodySeesYetChangesNothing) {
  const auto disk = std::make_shared<SimFileOps>();
  const auto files = open_files(disk);
  files->write("k", as_bytes("old"));
  disk->script(
      [](const SimFileOps::Call& call) {
        return call.operation == Operation::sync ? Verdict::fail_before : Verdict::pass;
      },
      EIO);
  EXPECT_THROW(files->write("k", as_bytes("new")), IoError);
  EXPECT_THROW(files->apply(WriteBatch().put("k", as_bytes("new")).put("l", as_bytes("new"))), IoError);
  disk->heal();
  EXPECT_EQ(contents_of(*files), (Contents{{"k", "old"}}));
  files->write("k", as_bytes("newer"));
  EXPECT_EQ(contents_of(*open_files(disk->after(Aftermath::lost))), (Contents{{"k", "newer"}}));
}

}  // namespace
}  // namespace holdfast::testing
