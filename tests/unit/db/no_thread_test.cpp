#include <cerrno>

#include "db_fixture.hpp"
#include "faulty_system.hpp"
#include "holdfast/db/kv_store.hpp"

namespace holdfast {
namespace {

using testing::FaultySystem;
using testing::SystemCall;

class NoThread : public testing::DbTest {};

TEST_F(NoThread, WriteAsyncSaysSoAndTheNextCallTriesAgain) {
  KvStore store(open(), "kv");
  FaultySystem::fail(SystemCall::thread, 1, EAGAIN);
  try {
    static_cast<void>(store.write_async(WriteBatch().put("a", as_bytes("1"))));
    ADD_FAILURE() << "there was a thread";
  } catch (const IoError& error) {
    EXPECT_EQ(error.facts().error_number, EAGAIN);
    EXPECT_EQ(error.facts().operation, "start a thread");
  }
  EXPECT_TRUE(FaultySystem::disarm());
  EXPECT_EQ(store.count(), 0U);
  store.write_async(WriteBatch().put("a", as_bytes("1"))).get();
  EXPECT_EQ(store.get("a"), to_bytes("1"));
}

}  // namespace
}  // namespace holdfast
