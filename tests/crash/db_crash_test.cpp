// Three processes write to one store, with several threads each, and are killed at any moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "holdfast/backend/lmdb.hpp"
#include "support/child_process.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace holdfast {
namespace {

using testing::ChildProcess;

constexpr int rounds = 200;
constexpr std::uint64_t process_count = 3;
constexpr std::uint64_t writers_per_process = 4;  // the last of them writes transactions, the others batches
constexpr std::uint64_t writer_count = process_count * writers_per_process;
constexpr int keys_of_writer = 5;
constexpr unsigned writer_shift = 48;  // an acknowledgement is the writer, then the number of the write

/// By writer: the number of its last write.
using Numbers = std::array<std::uint64_t, writer_count>;

std::string key_of(std::uint64_t writer, int index) {
  return std::to_string(writer) + "/" + std::to_string(index);
}

/// Where each third write of a writer erases and the others put.
std::string blinking_key(std::uint64_t writer) {
  return key_of(writer, keys_of_writer);
}

Bytes value_of(std::uint64_t number) {
  Bytes value = to_bytes(as_bytes(std::to_string(number) + "/"));
  value.resize(value.size() + number * 37 % 9000, static_cast<std::byte>(number));
  return value;
}

std::uint64_t number_in(ByteView value) {
  return std::stoull(std::string(as_text(value)));
}

/// One batch after another, each on the condition that the one before it is there.
[[noreturn]] void write_batches(LmdbBackend& backend, std::uint64_t writer, std::uint64_t number,
                                ChildProcess::Voice voice) {
  for (;;) {
    WriteBatch batch;
    if (number == 0) {
      batch.require_absent(key_of(writer, 0));
    } else {
      batch.require_value(key_of(writer, 0), value_of(number));
    }
    ++number;
    for (int i = 0; i < keys_of_writer; ++i) batch.put(key_of(writer, i), value_of(number));
    if (number % 3 == 0) {
      batch.erase(blinking_key(writer));
    } else {
      batch.put(blinking_key(writer), value_of(number));
    }
    backend.apply(batch);
    voice.tell(writer << writer_shift | number);
  }
}

/// The same in transactions over two tables, which must see what they wrote before.
[[noreturn]] void write_transactions(Database& db, std::uint64_t writer, std::uint64_t number,
                                     ChildProcess::Voice voice) {
  const ByteTable tables[] = {db.table("even"), db.table("odd")};
  for (;;) {
    db.update([&](WriteTransaction& txn) {
      const auto last = tables[0].get(txn, as_bytes(key_of(writer, 0)));
      if (last.has_value() != (number > 0) || (last && number_in(*last) != number))
        throw std::runtime_error("a transaction does not see the one before it");
      ++number;
      for (int i = 0; i < keys_of_writer; ++i) tables[i % 2].put(txn, as_bytes(key_of(writer, i)), value_of(number));
      if (number % 3 == 0) {
        tables[1].erase(txn, as_bytes(blinking_key(writer)));
      } else {
        tables[1].put(txn, as_bytes(blinking_key(writer)), value_of(number));
      }
    });
    voice.tell(writer << writer_shift | number);
  }
}

bool writes_transactions(std::uint64_t writer) {
  return writer % writers_per_process == writers_per_process - 1;
}

void write_until_killed(const std::filesystem::path& path, std::uint64_t process, const Numbers& last,
                        ChildProcess::Voice voice) {
  const auto db = Database::open({.path = path});
  LmdbBackend backend(db);
  std::list<std::thread> threads;
  for (std::uint64_t i = 0; i < writers_per_process; ++i) {
    const std::uint64_t writer = process * writers_per_process + i;
    threads.emplace_back([&, writer] {
      if (writes_transactions(writer)) write_transactions(*db, writer, last[writer], voice);
      write_batches(backend, writer, last[writer], voice);
    });
  }
  for (auto& thread : threads) thread.join();
}

/// Checks that a writer's last write is whole; its number.
template <class Read>
std::uint64_t whole_number(std::uint64_t writer, const Read& read) {
  const std::optional<Bytes> first = read(0);
  const std::uint64_t number = first ? number_in(*first) : 0;
  for (int i = 0; i < keys_of_writer; ++i)
    EXPECT_EQ(read(i), number > 0 ? std::optional(value_of(number)) : std::nullopt) << "key " << key_of(writer, i);
  EXPECT_EQ(read(keys_of_writer), number % 3 > 0 ? std::optional(value_of(number)) : std::nullopt)
      << "key " << blinking_key(writer);
  return number;
}

/// The store opens at once, every write in it is whole, and it can be written to.
Numbers judge(const std::filesystem::path& path) {
  const auto began = std::chrono::steady_clock::now();
  const auto db = Database::open({.path = path});
  LmdbBackend backend(db);
  backend.write("last opened by", as_bytes("the judge"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  const ReadTransaction txn = db->begin_read();
  Numbers found{};
  for (std::uint64_t writer = 0; writer < writer_count; ++writer) {
    found[writer] = whole_number(writer, [&](int index) {
      if (!writes_transactions(writer)) return backend.read(key_of(writer, index));
      return db->table(index % 2 == 0 ? "even" : "odd").get(txn, as_bytes(key_of(writer, index)));
    });
  }
  return found;
}

/// Runs the three from where they stood, and kills them one after the other; what they acknowledged.
Numbers run_and_kill(const std::filesystem::path& path, const Numbers& last, std::mt19937_64& random) {
  std::vector<std::unique_ptr<ChildProcess>> children;
  for (std::uint64_t process = 0; process < process_count; ++process)
    children.push_back(std::make_unique<ChildProcess>(
        [&](ChildProcess::Voice voice) { write_until_killed(path, process, last, voice); }));
  std::ranges::shuffle(children, random);
  Numbers acknowledged = last;
  const auto hear = [&](const ChildProcess& child) {
    const auto heard = child.hear();
    if (heard) acknowledged[*heard >> writer_shift] = *heard & ((std::uint64_t{1} << writer_shift) - 1);
    return heard.has_value();
  };
  if (random() % 4 != 0) hear(*children.back());  // else they are killed while they open
  for (const auto& child : children) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 10'000));
    child->kill();
  }
  for (const auto& child : children) {
    while (hear(*child)) continue;
    EXPECT_EQ(child->wait(), 128 + SIGKILL);
  }
  return acknowledged;
}

TEST(LmdbStoreCrash, ThreeProcessesKilledAtRandomLoseNothingAcknowledgedAndLeaveNoWriteInHalf) {
  std::mt19937_64 random(testing::test_seed());
  const testing::TemporaryDirectory directory(testing::fast_directory());
  const auto path = directory.path() / "store";
  Numbers found{};
  for (int round = 0; round < rounds; ++round) {
    const Numbers acknowledged = run_and_kill(path, found, random);
    found = judge(path);
    for (std::uint64_t writer = 0; writer < writer_count; ++writer) {
      ASSERT_GE(found[writer], acknowledged[writer]) << "round " << round << ", writer " << writer;
      ASSERT_LE(found[writer], acknowledged[writer] + 1) << "round " << round << ", writer " << writer;
    }
    if (::testing::Test::HasFailure()) return;
  }
  for (const std::uint64_t number : found) EXPECT_GT(number, 0U);
}

}  // namespace
}  // namespace holdfast
